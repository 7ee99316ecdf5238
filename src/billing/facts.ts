import type Stripe from "stripe";
import { second } from "../lib/clock.ts";
import type { PlanFacts } from "./entitlement.ts";

export interface CustomerFacts extends PlanFacts {
  /** The subscription that a change of quantity applies to. */
  readonly subscription_id: string | null;
}

const noSubscription: CustomerFacts = {
  subscription_id: null,
  status: "none",
  quantity: 0,
  period_end: null,
  cancel_at: null,
  past_due_since: null,
  paid_until: null,
};

/**
 * What a customer's subscriptions, in their present state and with `latest_invoice` expanded, amount to: a function of
 * what Stripe holds and of nothing that came before, so whoever asks last is right. Somebody who paid twice has both:
 * quantities of equally good subscriptions add up.
 */
export function factsOf(subscriptions: readonly Stripe.Subscription[]): CustomerFacts {
  const all = subscriptions
    .map((subscription) => ({ rank: rankOf(subscription), subscription }))
    .toSorted((a, b) => a.rank - b.rank || b.subscription.created - a.subscription.created);
  const [best] = all;
  if (best === undefined) return noSubscription;
  const equals = best.rank <= 1 ? all.filter(({ rank }) => rank === best.rank) : [best];
  const own = oneOf(best.subscription);
  return {
    ...own,
    quantity: equals.reduce((sum, { subscription }) => sum + quantityOf(subscription), 0),
    // Of several, one that goes on.
    cancel_at: equals.some(({ subscription }) => cancelAt(subscription) === null) ? null : own.cancel_at,
  };
}

/** Live subscriptions, whose quantities were added up. */
export function isLive(subscription: Stripe.Subscription): boolean {
  return rankOf(subscription) <= 1;
}

function quantityOf(subscription: Stripe.Subscription): number {
  return subscription.items.data.reduce((sum, item) => sum + (item.quantity ?? 0), 0);
}

function rankOf({ status }: Stripe.Subscription): number {
  if (status === "active" || status === "trialing") return 0;
  if (status === "past_due" || status === "unpaid") return 1;
  return status === "canceled" || status === "paused" ? 2 : 3;
}

function oneOf(subscription: Stripe.Subscription): CustomerFacts {
  const { id, status } = subscription;
  // Since 2025-03-31 the period is the item's.
  const ends = subscription.items.data.map((item) => item.current_period_end);
  const periodEnd = ends.length === 0 ? null : Math.max(...ends) * second;
  const invoice = typeof subscription.latest_invoice === "string" ? null : subscription.latest_invoice;
  const unpaid = invoice !== null && (invoice.status === "open" || invoice.status === "uncollectible");
  const owing = status === "past_due" || status === "unpaid" || (status === "canceled" && unpaid);
  const starts = subscription.items.data.map((item) => item.current_period_start);
  const invoiced = invoice?.status_transitions.finalized_at ?? invoice?.created ?? Math.max(...starts, 0);
  return {
    subscription_id: id,
    status,
    quantity: quantityOf(subscription),
    period_end: periodEnd,
    cancel_at: cancelAt(subscription),
    past_due_since: owing ? invoiced * second : null,
    paid_until: status === "canceled" && invoice?.status === "paid" ? periodEnd : null,
  };
}

function cancelAt(subscription: Stripe.Subscription): number | null {
  if (subscription.cancel_at !== null) return subscription.cancel_at * second;
  const ends = subscription.items.data.map((item) => item.current_period_end);
  return subscription.cancel_at_period_end && ends.length > 0 ? Math.max(...ends) * second : null;
}
