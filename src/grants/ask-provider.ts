import { minute, second } from "../lib/clock.ts";
import { refreshTokens } from "../oauth/client.ts";
import type { Tokens } from "../oauth/normalize.ts";
import type { GrantState, Lease } from "../store/grant-row.ts";
import { commitTokens } from "./commit-tokens.ts";
import { factsOf } from "./facts.ts";
import { sealGrant, type OauthGrant } from "./grant.ts";
import { openCurrent, type Held, type RefreshDeps, type Refreshed } from "./held.ts";
import { attemptBudget, backOff, graceMargin, refreshFrom, type RefreshPolicy } from "./refresh-policy.ts";
import { revokeOrphan } from "./revoke.ts";

/** A grant that can be renewed, opened under the lease. */
interface Renewable extends Held {
  readonly grant: OauthGrant;
}

/** How long nobody asks a provider again that did not answer, ms: what it may have done is inside its grace. */
const unansweredPause = second;

/**
 * Uses the refresh token, as the holder of the lease. The only place that does. The outcome is in the row before
 * anybody is told of it.
 */
export async function askProvider(
  lease: Lease,
  held: Held,
  policy: RefreshPolicy,
  deps: RefreshDeps,
): Promise<Refreshed> {
  const { grants } = deps.stores;
  // What was read before the lease may be old: only the row under the lease counts.
  const state = await grants.read(lease.connectionId);
  if (state === null || state.fence !== lease.fence) return { kind: "busy" };
  const current = await openUnderLease(state, lease, held, deps);
  if (current === null) return { kind: "reauth" };
  if (!(await grants.intend(lease, attemptBudget))) return { kind: "busy" };

  const { grant } = current;
  const result = await refreshTokens(grant.source, grant.refresh_token ?? "", policy.nested, {
    http: deps.oauth,
    clock: deps.clock,
  });
  // An earlier request with this refresh token was never answered: this one's refusal says nothing of that.
  const repeated = state.sent_at > 0;
  // A wait that was asked for since this generation was written: what failed then was told.
  const told = state.retry_at > 0;
  switch (result.kind) {
    case "tokens":
      return await store(lease, renewed(grant, result.tokens, policy, deps), current, deps);
    case "no_answer":
      await grants.unanswered(
        lease,
        unansweredWaits(state, grant, policy, deps),
        repeated,
        deps.by ?? "request",
      );
      deps.log({ event: "refresh_failed", connection: state.id, reason: "no_answer" });
      return { kind: "later", retryAfter: unansweredPause, unanswered: true };
    case "error":
      if (policy.permanentErrors.includes(result.code)) return await giveUp(lease, deps);
      return await postpone(lease, grant, { retryAfter: undefined, repeated, told }, deps);
    case "unusable":
      return await postpone(lease, grant, { retryAfter: undefined, repeated, told }, deps);
    case "busy":
      return await postpone(lease, grant, { retryAfter: result.retryAfter, repeated, told }, deps);
  }
}

/** Null where there is nothing to renew with. A lease that is not used is given back, not left to run out. */
async function openUnderLease(
  state: GrantState,
  lease: Lease,
  held: Held,
  deps: RefreshDeps,
): Promise<Renewable | null> {
  try {
    const current = await openCurrent(state, held, deps);
    const { grant } = current;
    if (grant.kind === "oauth" && grant.refresh_token !== undefined) return { ...current, grant };
  } catch (error) {
    await deps.stores.grants.release(lease);
    throw error;
  }
  await deps.stores.grants.release(lease);
  return null;
}

/** The next generation of a grant. */
function renewed(grant: OauthGrant, tokens: Tokens, policy: RefreshPolicy, deps: RefreshDeps): OauthGrant {
  return {
    ...grant,
    secret: tokens.access_token,
    // RFC 6749 §6: without a new refresh token the old one stays. Where it is used up all the same, sending it
    // again would end the grant.
    refresh_token:
      tokens.refresh_token ?? (policy.graceWithoutRefreshToken ? undefined : grant.refresh_token),
    scope: tokens.scope ?? grant.scope,
    issued_at: deps.clock(),
    expires_at: tokens.expires_at,
  };
}

async function store(
  lease: Lease,
  grant: OauthGrant,
  current: Renewable,
  deps: RefreshDeps,
): Promise<Refreshed> {
  const binding = { ...current.binding, generation: lease.gen + 1 };
  const sealed = await sealGrant(grant, current.key, binding, deps.environment, deps.random);
  const held = { key: current.key, binding, grant };
  // Disconnected or signed in again while the provider answered: then these tokens are nobody's.
  const service = deps.catalogue.get(binding.service);
  const abandon = () => revokeOrphan(grant, binding.workspaceId, service, deps);
  const tokens = { lease, sealed, facts: factsOf(grant, deps.random), abandon };
  const committed = await commitTokens(tokens, deps);
  // Somebody else decided what the connection holds: look again at what that is.
  if (committed === "unwanted" || committed === "superseded") return { kind: "busy" };
  deps.log({ event: "refreshed", connection: lease.connectionId, stored: committed });
  return { kind: "fresh", held };
}

/** A permanent answer: unless somebody else was successful meanwhile, only the person can help. */
async function giveUp(lease: Lease, deps: RefreshDeps): Promise<Refreshed> {
  if (!(await deps.stores.grants.markReauth(lease, "permanent", deps.by ?? "request")))
    return { kind: "busy" };
  deps.log({ event: "refresh_failed", connection: lease.connectionId, reason: "permanent" });
  return { kind: "reauth" };
}

interface Refusal {
  /** ms, where the provider asked for it. */
  readonly retryAfter: number | undefined;
  readonly repeated: boolean;
  readonly told: boolean;
}

async function postpone(
  lease: Lease,
  grant: OauthGrant,
  { retryAfter, ...failure }: Refusal,
  deps: RefreshDeps,
): Promise<Refreshed> {
  const delay = backOff(dueFor(grant, deps), retryAfter);
  await deps.stores.grants.postpone(lease, delay, failure, deps.by ?? "request");
  deps.log({ event: "refresh_failed", connection: lease.connectionId, reason: "refused" });
  return { kind: "later", retryAfter: delay };
}

/** How long the renewal has been due, ms. */
function dueFor(grant: OauthGrant, deps: RefreshDeps): number {
  return Math.max(deps.clock() - refreshFrom(grant), 0);
}

/** Inside the provider's grace the background repeats at once, like everybody; after it, ever less often. */
function unansweredWaits(
  state: GrantState,
  grant: OauthGrant,
  policy: RefreshPolicy,
  deps: RefreshDeps,
): { readonly delay: number; readonly again: number } {
  const graceLeft =
    (state.sent_at === 0 ? state.now : state.sent_at) + policy.grace - graceMargin - state.now;
  const again = graceLeft > 0 ? unansweredPause : Math.max(backOff(dueFor(grant, deps), undefined), minute);
  return { delay: unansweredPause, again };
}
