import { z } from "zod";
import { second } from "../lib/clock.ts";
import { Fault } from "../lib/fault.ts";
import type { BillingDeps } from "./billing.ts";
import { syncCustomer } from "./settle.ts";
import { verifySignature } from "./client.ts";

/** The events that may change what a customer has: what an endpoint at Stripe has to send. Others are fine, and nothing. */
const handledEvents: readonly string[] = [
  "checkout.session.completed",
  "checkout.session.async_payment_succeeded",
  "checkout.session.async_payment_failed",
  "customer.deleted",
  "customer.subscription.created",
  "customer.subscription.updated",
  "customer.subscription.deleted",
  "customer.subscription.paused",
  "customer.subscription.resumed",
  "customer.subscription.pending_update_applied",
  "customer.subscription.pending_update_expired",
  "invoice.paid",
  "invoice.payment_failed",
  "invoice.payment_action_required",
  "invoice.marked_uncollectible",
  "invoice.voided",
];

/** Of an event no more is read than whom it is about: its object is a state of the past. */
const eventSchema = z.object({
  id: z.string().min(1).max(255),
  type: z.string().max(255),
  created: z.number(),
  data: z.object({
    object: z.object({
      id: z.string().max(255).nullish(),
      object: z.string().optional(),
      customer: z.union([z.string(), z.object({ id: z.string() })]).nullish(),
    }),
  }),
});

type StripeEvent = z.output<typeof eventSchema>;

export type EventOutcome = "applied" | "seen" | "superseded" | "ignored";

/**
 * Takes in an event: whatever it says, the effect is to ask Stripe for the customer's present state and to write that,
 * with the event's id in the same batch. So any order and any number of deliveries end in the state of the newest
 * object. An unsigned, stale or changed one is refused and leaves nothing; where Stripe does not answer it fails, and
 * Stripe delivers it again.
 */
export async function applyEvent(
  payload: string,
  signature: string | null,
  deps: BillingDeps,
): Promise<EventOutcome> {
  const verified = await verifySignature(payload, signature ?? "", deps.billing.webhookSecret);
  if (verified === undefined) throw new Fault("webhook_refused");
  if (!handledEvents.includes(verified.type)) return "ignored";
  const parsed = eventSchema.safeParse(verified);
  const customer = parsed.success ? customerOf(parsed.data) : null;
  if (!parsed.success || customer === null) return "ignored";
  const { id, type, created, data } = parsed.data;
  if (await deps.stores.billingEvents.has(id)) return "seen";
  const event = { id, type, object_id: data.object.id ?? null, created_at: created * second };
  const synced = await syncCustomer(customer, event, deps);
  if (synced === null) return "ignored";
  return synced.written ? "applied" : "superseded";
}

function customerOf({ data: { object } }: StripeEvent): string | null {
  if (object.object === "customer") return object.id ?? null;
  return typeof object.customer === "string" ? object.customer : (object.customer?.id ?? null);
}
