import { Hono } from "hono";
import { day } from "../lib/clock.ts";
import { Fault } from "../lib/fault.ts";
import { newId } from "../connect/mint.ts";
import { hashApiToken, mintApiToken } from "../identity/api-token.ts";
import { tokensPerUser, type Token } from "../store/tokens.ts";
import { iso } from "./connection-view.ts";
import type { AppEnv, Runtime } from "./context.ts";
import { parseJson, readBody } from "./json-body.ts";
import { once } from "./once.ts";
import { newToken } from "./schemas/account.ts";
import { requireUser, type Session } from "./session.ts";

/** Tokens for programs. A token makes no token: one that leaks must not outlive its revocation. */
export const tokens = new Hono<AppEnv>()
  .get("/", async (c) => {
    const session = await requireUser(c, "read");
    const { stores, clock } = c.env.runtime;
    const list = await stores.tokens.list(session.id);
    return c.json({ tokens: list.map((token) => viewToken(token, clock())) });
  })
  .post("/", async (c) => {
    const session = await requireUser(c, "owner");
    const body = await readBody(c.req.raw);
    const wanted = parseJson(body, newToken);
    return await once(c, session, body, async () => await create(session, wanted, c.env.runtime));
  })
  .delete("/:id", async (c) => {
    const session = await requireUser(c, "manage");
    const id = c.req.param("id");
    if (session.access !== "owner" && session.actor !== id) throw new Fault("owner_only");
    const { stores, clock } = c.env.runtime;
    const token = await stores.tokens.revoke(session, id, session.actor);
    if (token === null) throw new Fault("unknown_token");
    return c.json({ token: viewToken(token, clock()) });
  });

async function create(
  session: Session,
  wanted: {
    readonly name: string;
    readonly scope: Token["scope"];
    readonly expires_in_days?: number | undefined;
  },
  { stores, random, environment, clock }: Runtime,
) {
  const { text, prefix } = mintApiToken(random, environment);
  const hash = await hashApiToken(text, environment);
  if (hash === undefined) throw new TypeError("a new token is not one");
  const { name, scope, expires_in_days: days } = wanted;
  const row = { id: newId("tok", random), name, scope, prefix, hash };
  const token = await stores.tokens.insert(session, row, days === undefined ? null : days * day);
  if (token === null) throw new Fault("too_many_tokens", { params: { limit: String(tokensPerUser) } });
  return { id: token.id, body: { token: viewToken(token, clock()), secret: text }, secret: true };
}

function viewToken(token: Token, now: number) {
  const { id, name, scope, prefix, created_at, last_used_at, expires_at } = token;
  return {
    id,
    name,
    scope,
    prefix,
    created_at: iso(created_at),
    last_used_at: iso(last_used_at),
    expires_at: iso(expires_at),
    expired: expires_at !== null && expires_at <= now,
  };
}
