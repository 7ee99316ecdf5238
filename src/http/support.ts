import { Hono } from "hono";
import { toBase64Url, utf8 } from "../lib/bytes.ts";
import { second } from "../lib/clock.ts";
import { Fault } from "../lib/fault.ts";
import { messagesPerDay } from "../store/support-nonces.ts";
import type { Desk } from "../support/zoho-desk.ts";
import { iso } from "./connection-view.ts";
import type { AppEnv, Runtime } from "./context.ts";
import { readJson } from "./json-body.ts";
import { supportMessage } from "./schemas/account.ts";
import { requireUser } from "./session.ts";

/** Messages to the operator, from a signed-in person alone. What they write is handed on and kept nowhere. */
export const support = new Hono<AppEnv>()
  .get("/nonce", async (c) => {
    const session = await requireUser(c, "owner");
    const { runtime } = c.env;
    deskOf(runtime);
    const nonce = toBase64Url(runtime.random(32));
    const expiresAt = await runtime.stores.supportNonces.issue(session.id, await hashNonce(nonce));
    return c.json({ nonce, expires_at: iso(expiresAt) });
  })
  .post("/", async (c) => {
    const session = await requireUser(c, "owner");
    const { runtime } = c.env;
    const desk = deskOf(runtime);
    const { subject, message, nonce } = await readJson(c.req.raw, supportMessage);
    const { supportNonces } = runtime.stores;
    const hash = await hashNonce(nonce);
    const taken = await supportNonces.take(session.id, hash);
    if (taken.outcome === "unknown") throw new Fault("support_nonce_unknown");
    if (taken.outcome === "limit") {
      const retryAfter = Math.max(1, Math.ceil(taken.wait / second));
      throw new Fault("support_limit", { params: { limit: String(messagesPerDay) }, retryAfter });
    }
    const { id, email, name } = session;
    const filed = await desk.file({ subject, message, person: { id, email, name } });
    if (filed !== "filed") {
      runtime.log({ event: "support_failed", reason: filed });
      // What reached the desk counts: repeating it must neither fill the desk nor use up what the operator may ask it.
      if (filed === "unknown") throw new Fault("support_unconfirmed");
      if (filed !== "refused") await supportNonces.forget(id, hash);
      throw new Fault("support_unavailable", { retryAfter: 60 });
    }
    return c.json({ status: "sent" }, 202);
  });

function deskOf({ desk }: Pick<Runtime, "desk">): Desk {
  if (desk === undefined) throw new Fault("support_not_configured");
  return desk;
}

async function hashNonce(nonce: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", utf8(`bindify/support/v1${nonce}`));
  return toBase64Url(new Uint8Array(digest));
}
