import type Stripe from "stripe";
import { second } from "../lib/clock.ts";
import type { PlanFacts } from "./entitlement.ts";

/** Of one subscription. */
interface SubscriptionState extends PlanFacts {
  readonly subscription_id: string;
}

export interface CustomerFacts extends PlanFacts {
  /** The subscription that a change of quantity applies to. */
  readonly subscription_id: string | null;
  /** Each subscription that counts, where there are several; null: the facts are those of the one. */
  readonly parts: readonly PlanFacts[] | null;
}

/** Invoices of the subscriptions that `needsInvoices` names, by the subscription's id. */
export type InvoicesOf = ReadonlyMap<string, readonly Stripe.Invoice[]>;

const noSubscription: CustomerFacts = {
  subscription_id: null,
  status: "none",
  quantity: 0,
  period_end: null,
  cancel_at: null,
  past_due_since: null,
  paid_until: null,
  parts: null,
};

/** So many subscriptions count; nobody has them by the ways that are offered here. */
const mostParts = 20;

/**
 * What a customer's subscriptions in their present state amount to: a function of what Stripe holds and of nothing that
 * came before, so whoever asks last is right. Somebody who paid twice has both: the quantities of equally good
 * subscriptions add up, and each of several is kept, because each ends at its own time.
 */
export function factsOf(
  subscriptions: readonly Stripe.Subscription[],
  invoices: InvoicesOf = new Map(),
): CustomerFacts {
  const all = subscriptions
    .map((subscription) => {
      const own = oneOf(subscription, invoices.get(subscription.id) ?? []);
      return { own, rank: rankOf(own), created: subscription.created };
    })
    .toSorted(
      (a, b) =>
        a.rank - b.rank ||
        b.created - a.created ||
        a.own.subscription_id.localeCompare(b.own.subscription_id),
    );
  const [best] = all;
  if (best === undefined) return noSubscription;
  const equals = best.rank <= 1 ? all.filter(({ rank }) => rank === best.rank) : [best];
  const parts = all.filter(({ rank }) => rank <= 2).slice(0, mostParts);
  return {
    ...best.own,
    quantity: equals.reduce((sum, { own }) => sum + own.quantity, 0),
    // Of several, one that goes on.
    cancel_at: equals.some(({ own }) => own.cancel_at === null) ? null : best.own.cancel_at,
    parts: parts.length > 1 ? parts.map(({ own }) => own) : null,
  };
}

/** Goes on unless somebody ends it, paid or not. */
export function isLive(subscription: Pick<Stripe.Subscription, "status">): boolean {
  return isPaid(subscription) || isOwing(subscription);
}

export function isPaid({ status }: Pick<Stripe.Subscription, "status">): boolean {
  return status === "active" || status === "trialing";
}

function isOwing({ status }: Pick<Stripe.Subscription, "status">): boolean {
  return status === "past_due" || status === "unpaid";
}

/** Whether what is owed or paid is to be read off its invoices; of one that ended only within its last period. */
export function needsInvoices(subscription: Stripe.Subscription, now: number): boolean {
  if (isOwing(subscription)) return true;
  return subscription.status === "canceled" && (periodEnd(subscription) ?? 0) > now;
}

function rankOf(own: SubscriptionState): number {
  if (isPaid(own)) return 0;
  if (isOwing(own)) return 1;
  if (own.paid_until !== null || own.past_due_since !== null) return 2;
  return own.status === "canceled" || own.status === "paused" ? 3 : 4;
}

function oneOf(subscription: Stripe.Subscription, invoices: readonly Stripe.Invoice[]): SubscriptionState {
  const { id, status } = subscription;
  const end = periodEnd(subscription);
  const unpaid = invoices.filter((one) => one.status === "open" || one.status === "uncollectible");
  return {
    subscription_id: id,
    status,
    quantity: subscription.items.data.reduce((sum, item) => sum + (item.quantity ?? 0), 0),
    period_end: end,
    cancel_at: cancelAt(subscription),
    past_due_since: pastDueSince(subscription, unpaid, invoices),
    paid_until: status === "canceled" && unpaid.length === 0 && isPeriodPaid(invoices) ? end : null,
  };
}

/**
 * The oldest invoice that is owed, not the latest: a change of quantity makes one that is paid at once, and each new
 * period makes another, and neither begins the days of grace anew.
 */
function pastDueSince(
  subscription: Stripe.Subscription,
  unpaid: readonly Stripe.Invoice[],
  invoices: readonly Stripe.Invoice[],
): number | null {
  const isOver = subscription.status === "canceled";
  if (!isOwing(subscription) && !(isOver && unpaid.length > 0)) return null;
  // The invoices of a subscription that Stripe no longer collects for stay drafts.
  const owed = isOver || unpaid.length > 0 ? unpaid : invoices.filter(({ status }) => status === "draft");
  const times = owed.map((one) => one.status_transitions.finalized_at ?? one.created);
  const starts = subscription.items.data.map((item) => item.current_period_start);
  return (times.length > 0 ? Math.min(...times) : Math.max(...starts, 0)) * second;
}

/** Whether the invoice of the last period was paid; one about a change of quantity says nothing of that. */
function isPeriodPaid(invoices: readonly Stripe.Invoice[]): boolean {
  const [last] = invoices
    .filter(
      ({ billing_reason: why }) =>
        why === "subscription_create" || why === "subscription_cycle" || why === "subscription",
    )
    .toSorted((a, b) => b.created - a.created);
  return last?.status === "paid";
}

/** Since 2025-03-31 the period is the item's. */
function periodEnd(subscription: Stripe.Subscription): number | null {
  const ends = subscription.items.data.map((item) => item.current_period_end);
  return ends.length === 0 ? null : Math.max(...ends) * second;
}

function cancelAt(subscription: Stripe.Subscription): number | null {
  if (subscription.cancel_at !== null) return subscription.cancel_at * second;
  return subscription.cancel_at_period_end ? periodEnd(subscription) : null;
}
