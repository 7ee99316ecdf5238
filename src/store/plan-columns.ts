/** What Stripe last said of a customer, as columns. Times are ms since the epoch. */
export interface SubscriptionFacts {
  readonly subscription_id: string | null;
  readonly status: string;
  readonly quantity: number;
  readonly period_end: number | null;
  readonly cancel_at: number | null;
  readonly past_due_since: number | null;
  readonly paid_until: number | null;
}

/** The same where they were joined: all null where there is no customer. */
export type FlatFacts = {
  readonly [Name in keyof SubscriptionFacts as `plan_${Name}`]: SubscriptionFacts[Name] | null;
};

/** The columns of `FlatFacts`, of `subscriptions s`. */
export const flatPlanColumns = `s.subscription_id AS plan_subscription_id, s.status AS plan_status,
  s.quantity AS plan_quantity, s.period_end AS plan_period_end, s.cancel_at AS plan_cancel_at,
  s.past_due_since AS plan_past_due_since, s.paid_until AS plan_paid_until`;

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
  };
}
