/** Answers about what a person pays. Amounts are in the currency's smallest unit; unit amounts may be fractions of it. */
import * as z from "zod/mini";
import { planSchema } from "./schemas.ts";

const tierSchema = z.object({
  /** The last connection of this tier; null where there is no last. */
  up_to: z.nullable(z.number()),
  unit_amount: z.string(),
  flat_amount: z.string(),
});

const priceSchema = z.object({
  currency: z.string(),
  interval: z.nullable(z.string()),
  interval_count: z.nullable(z.number()),
  tiers_mode: z.nullable(z.string()),
  tiers: z.array(tierSchema),
});

const subscriptionSchema = z.object({
  /** Stripe's word. */
  status: z.string(),
  quantity: z.number(),
  current_period_end: z.nullable(z.string()),
  cancel_at: z.nullable(z.string()),
});

export const billingSchema = z.object({
  plan: planSchema,
  connections: z.object({ active: z.number(), suspended: z.number() }),
  subscription: z.nullable(subscriptionSchema),
  has_portal: z.boolean(),
  price: z.nullable(priceSchema),
});

export const verifySchema = z.extend(billingSchema, { checkout: z.nullable(z.string()) });
export const checkoutSchema = z.object({ url: z.string(), session_id: z.string() });
export const portalSchema = z.object({ url: z.string() });

export const previewSchema = z.object({
  quantity: z.number(),
  currency: z.string(),
  /** Below zero it is credited. */
  amount_due: z.number(),
  /** Seconds since the epoch. */
  proration_date: z.number(),
});

export type Billing = z.infer<typeof billingSchema>;
export type Price = z.infer<typeof priceSchema>;
export type Preview = z.infer<typeof previewSchema>;
