import { Hono } from "hono";
import { applyEvent } from "../billing/apply-event.ts";
import { fromUtf8 } from "../lib/bytes.ts";
import { Fault } from "../lib/fault.ts";
import { errorKind } from "../lib/log.ts";
import { readCapped } from "../lib/outbound.ts";
import { requireBilling } from "./billing.ts";
import type { AppEnv } from "./context.ts";

const bodyLimit = 512 * 1024;

/** What Stripe tells. Its signature is over the bytes as they came, so nothing touches them before. */
export const webhook = new Hono<AppEnv>().post("/stripe", async (c) => {
  const { runtime } = c.env;
  const billing = requireBilling(runtime);
  const bytes = await readCapped(c.req.raw, bodyLimit);
  if (bytes === undefined) throw new Fault("payload_too_large", { params: { limit: "512 KiB" } });
  const payload = textOf(bytes);
  const signature = c.req.header("stripe-signature") ?? null;
  try {
    const outcome = await applyEvent(payload, signature, { stores: runtime.stores, billing });
    return c.json({ outcome });
  } catch (error) {
    if (error instanceof Fault && error.code === "webhook_refused") throw error;
    // Stripe delivers again what is answered with 500, for three days.
    runtime.log({ event: "billing_failed", error: errorKind(error) });
    throw new Fault("webhook_failed");
  }
});

function textOf(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes);
  } catch {
    throw new Fault("webhook_refused");
  }
}
