import { Fault } from "../lib/fault.ts";
import { hour, second } from "../lib/clock.ts";
import type { Caller } from "../connect/caller.ts";
import { newId } from "../connect/mint.ts";
import { hashApiToken, hashPerson, isApiToken } from "../identity/api-token.ts";
import type { Identity } from "../identity/verifier.ts";
import type { KnownUser } from "../store/users.ts";
import type { TokenScope } from "../store/tokens.ts";
import { callerOf } from "./address.ts";
import type { AppContext, Runtime } from "./context.ts";
import type { Access } from "./operations.ts";

/** Who calls, and as what: the person (`owner`), or a program with an API token of this scope. */
export interface Session extends Caller {
  readonly access: TokenScope | "owner";
  readonly name: string | null;
  /** The person's, where they are signed in themselves. */
  readonly identity: Identity | null;
}

/** Sign-ins that this isolate knows to be on record. Bounded; what falls out costs one read. */
const recorded = new Set<string>();
const remembered = 5000;

/** An issuer's clock may run ahead of the database's by so much, ms. */
const clocksDiffer = 10 * second;

/** `last_used_at` of a token is this coarse. */
const tokenUseInterval = hour;

/**
 * The signed-in user of an API request, made on first sight, or the user whose API token it carries. Only the bearer
 * header counts: there are no cookies. `needs` says who may do what follows; with `closing` its owner may also where
 * the account is being deleted.
 */
export async function requireUser(
  c: AppContext,
  needs: Exclude<Access, "public">,
  account: "open" | "closing" = "open",
): Promise<Session> {
  const { runtime } = c.env;
  const token = /^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
  if (token === undefined) throw new Fault("unauthenticated");
  const session = isApiToken(token)
    ? await programOf(token, c.req.raw.headers, runtime)
    : await personOf(token, account, runtime);
  if (!(await runtime.limits.user(session.id))) throw new Fault("rate_limited", { retryAfter: 60 });
  if (session.access !== "owner") {
    if (needs === "owner") throw new Fault("owner_only");
    if (needs === "manage" && session.access === "read") throw new Fault("token_scope");
  }
  return session;
}

async function programOf(token: string, headers: Headers, runtime: Runtime): Promise<Session> {
  const { stores, guard, environment, defer } = runtime;
  const hash = await hashApiToken(token, environment);
  const owner = hash === undefined ? null : await stores.tokens.find(hash);
  if (owner === null) {
    const wait = await guard({ caller: callerOf(headers), offence: "guess", tried: token }, runtime);
    throw wait === undefined ? new Fault("unauthenticated") : new Fault("rate_limited", { retryAfter: wait });
  }
  if (owner.erasing_at !== null) throw new Fault("account_erasing");
  defer("touch_token", stores.tokens.touch(owner.token_id, tokenUseInterval));
  const { id, workspace_id, email, token_id: tokenId, scope } = owner;
  return {
    id,
    workspace_id,
    email,
    actor: `tok_${tokenId.slice(4)}`,
    access: scope,
    name: null,
    identity: null,
  };
}

async function personOf(token: string, account: "open" | "closing", runtime: Runtime): Promise<Session> {
  const identity = await runtime.verify(token);
  const { stores } = runtime;
  const user =
    (await stores.users.find(identity.issuer, identity.subject)) ?? (await provide(identity, runtime));
  if (user.erasing_at !== null) {
    if (account === "open") throw new Fault("account_erasing");
    return sessionOf(user, user.email, identity);
  }
  const login = `${user.id} ${identity.session}`;
  if (!recorded.has(login)) {
    await stores.users.noteLogin(user, identity.session);
    if (recorded.size >= remembered) recorded.clear();
    recorded.add(login);
  }
  const email = identity.email ?? user.email;
  if (email !== null && email !== user.email) await stores.users.setEmail(user.id, email);
  return sessionOf(user, email, identity);
}

function sessionOf({ id, workspace_id }: KnownUser, email: string | null, identity: Identity): Session {
  return { id, workspace_id, email, actor: "owner", access: "owner", name: identity.name, identity };
}

/**
 * A token from before its person's account was gone must not make the account again, nor a new one of a sign-in from
 * before: tabs that are open renew theirs by themselves, and whoever deleted the account could not delete that one.
 */
async function provide(identity: Identity, { stores, random, maxUsers }: Runtime): Promise<KnownUser> {
  const erased = await stores.erasures.refusal(await hashPerson(identity), identity.session);
  if (erased !== null && (erased.known === 1 || identity.issuedAt <= erased.until + clocksDiffer))
    throw new Fault("account_erasing");
  const ids = { user: newId("usr", random), workspace: newId("wsp", random) };
  const user = await stores.users.provision(identity, ids, maxUsers);
  if (user === null) throw new Fault("users_full");
  return user;
}
