import { z } from "zod";

const partsSchema = z.array(
  z.object({
    status: z.string(),
    quantity: z.number(),
    period_end: z.number().nullable(),
    cancel_at: z.number().nullable(),
    past_due_since: z.number().nullable(),
    paid_until: z.number().nullable(),
  }),
);

/** One of several subscriptions of a customer. */
type PlanPart = Readonly<z.output<typeof partsSchema>[number]>;

/** What Stripe last said of a customer, as columns. Times are ms since the epoch. */
export interface SubscriptionFacts {
  readonly subscription_id: string | null;
  readonly status: string;
  readonly quantity: number;
  readonly period_end: number | null;
  readonly cancel_at: number | null;
  readonly past_due_since: number | null;
  readonly paid_until: number | null;
  /** Of several subscriptions that count each one, the best first; null: there is one or none. */
  readonly parts: readonly PlanPart[] | null;
}

/** The same where they were joined: all null where there is no customer. */
export type FlatFacts = {
  readonly [Name in Exclude<keyof SubscriptionFacts, "parts"> as `plan_${Name}`]:
    | SubscriptionFacts[Name]
    | null;
} & { /** JSON */ readonly plan_parts: string | null };

/** The columns of `FlatFacts`, of `subscriptions s`. */
export const flatPlanColumns = `s.subscription_id AS plan_subscription_id, s.status AS plan_status,
  s.quantity AS plan_quantity, s.period_end AS plan_period_end, s.cancel_at AS plan_cancel_at,
  s.past_due_since AS plan_past_due_since, s.paid_until AS plan_paid_until, s.parts AS plan_parts`;

export function unflattenFacts(row: FlatFacts): SubscriptionFacts | null {
  const { plan_status: status, plan_quantity: quantity } = row;
  if (status === null || quantity === null) return null;
  return {
    subscription_id: row.plan_subscription_id,
    status,
    quantity,
    period_end: row.plan_period_end,
    cancel_at: row.plan_cancel_at,
    past_due_since: row.plan_past_due_since,
    paid_until: row.plan_paid_until,
    parts: row.plan_parts === null ? null : partsSchema.parse(JSON.parse(row.plan_parts)),
  };
}
