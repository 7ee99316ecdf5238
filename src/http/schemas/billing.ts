import { z } from "zod";
import { maybeTime, time } from "./fields.ts";

const quantity = z.number().int().min(1).max(10_000).meta({ description: "Connections to pay for." });
const returnTo = z.string().max(300).optional().meta({ description: "An origin of the dashboard." });

export const checkoutBody = z.strictObject({ quantity, return_to: returnTo });
/** Goes on to Stripe, so nothing else may: somebody's credential, say, that a page or a program mixed up. */
const checkoutId = z
  .string()
  .max(200)
  .regex(/^cs_\w+$/, { error: "must be the id of a checkout, such as cs_…" });

export const verifyBody = z.strictObject({ session_id: checkoutId.optional() });
export const portalBody = z.strictObject({ return_to: returnTo });
export const quantityBody = z.strictObject({
  quantity,
  preview: z.boolean().default(false),
  proration_date: z.number().int().positive().optional().meta({
    description: "Of a preview, in seconds since the epoch: the change then costs exactly what it said.",
  }),
});

export const plan = z
  .strictObject({
    name: z.enum(["self_hosted", "trial", "active", "past_due", "cancelled", "none"]),
    allowed: z.number().int().nullable().meta({ description: "Connections; null: any number." }),
    until: maybeTime,
    reason: z.string(),
  })
  .meta({ id: "Plan" });

const tier = z.strictObject({
  up_to: z.number().int().nullable().meta({ description: "The last connection of this tier." }),
  unit_amount: z.string(),
  flat_amount: z.string(),
});

const price = z
  .strictObject({
    currency: z.string(),
    interval: z.string().nullable(),
    interval_count: z.number().int().nullable(),
    tiers_mode: z.string().nullable(),
    tiers: z.array(tier),
  })
  .meta({
    id: "Price",
    description: "What connections cost. Amounts are decimal text in the currency's smallest unit.",
  });

export const billing = z
  .strictObject({
    plan,
    trial_ends_at: time,
    connections: z.strictObject({ active: z.number().int(), suspended: z.number().int() }),
    subscription: z
      .strictObject({
        status: z.string(),
        quantity: z.number().int(),
        current_period_end: maybeTime,
        cancel_at: maybeTime,
        past_due_since: maybeTime,
      })
      .nullable(),
    has_portal: z.boolean(),
    price: price.nullable(),
  })
  .meta({ id: "Billing" });

export const checkout = z.strictObject({ url: z.string(), session_id: z.string() });
export const verified = billing
  .extend({
    checkout: z.string().nullable().meta({ description: "State of the session, where one was named." }),
  })
  .meta({ id: "VerifiedBilling" });
export const portal = z.strictObject({ url: z.string() });

const preview = z
  .strictObject({
    quantity: z.number().int(),
    currency: z.string(),
    amount_due: z.number().int(),
    proration_date: z.number().int(),
  })
  .meta({ id: "QuantityPreview" });
export const changed = z.union([billing, preview]);

export const webhookOutcome = z.strictObject({
  outcome: z.enum(["applied", "seen", "superseded", "ignored"]),
});
