import { day } from "../lib/clock.ts";

/** What Stripe last said of a customer's subscriptions, reduced to what counts here. Times are ms since the epoch. */
export interface PlanFacts {
  /** Stripe's word (https://docs.stripe.com/api/subscriptions/object), or `none`. */
  readonly status: string;
  readonly quantity: number;
  readonly period_end: number | null;
  /** Set where the subscription is going to end, and paid for until then. */
  readonly cancel_at: number | null;
  /** Since when a payment is missing. */
  readonly past_due_since: number | null;
  /** Of a subscription that ended before the time that was paid for. */
  readonly paid_until: number | null;
  /** Each of several subscriptions, the best first: then these count, and the above is for display. */
  readonly parts?: readonly PlanFacts[] | null;
}

export type PlanName = "self_hosted" | "trial" | "active" | "past_due" | "cancelled" | "none";

export type PlanReason =
  | "billing_off"
  | "trial"
  | "paid"
  | "cancelled_but_paid"
  | "payment_missing"
  | "trial_ended"
  | "payment_overdue"
  | "subscription_ended";

export interface Entitlement {
  readonly plan: PlanName;
  /** How many connections may run; `Infinity` where there is no limit. */
  readonly allowed: number;
  /** When this ends or is paid again, ms since the epoch; null: it does not end. */
  readonly until: number | null;
  readonly reason: PlanReason;
}

export interface EntitlementInput {
  /** Null: this deployment has no billing, and nothing is limited. */
  readonly billing: { /** ms */ readonly trial: number } | null;
  /** When the workspace was made: its trial begins then. */
  readonly since: number;
  readonly facts: PlanFacts | null;
  /** The database's clock. */
  readonly now: number;
}

/** After a payment was missed the connections go on for this long. */
export const paymentGrace = 3 * day;

/** An end that was announced counts once Stripe has confirmed it, or so long after: a webhook may be late or lost. */
const newsGrace = day;

/**
 * The one rule of what a workspace may use. Whatever Stripe has not said stays as it was: an active subscription whose
 * renewal we have not heard of is active, so no paying customer is cut off because a message was lost.
 */
export function entitlementOf({ billing, since, facts, now }: EntitlementInput): Entitlement {
  if (billing === null) return { plan: "self_hosted", allowed: Infinity, until: null, reason: "billing_off" };
  const paid = facts === null ? null : fromAll(facts, now);
  if (paid !== null && paid.plan !== "none") return paid;
  const trialEnd = since + billing.trial;
  if (now < trialEnd) return { plan: "trial", allowed: Infinity, until: trialEnd, reason: "trial" };
  return paid ?? { plan: "none", allowed: 0, until: null, reason: "trial_ended" };
}

/** What each of several subscriptions gives adds up while it lasts; the name is that of the best. */
function fromAll(facts: PlanFacts, now: number): Entitlement | null {
  const [first] = facts.parts ?? [];
  if (facts.parts == null || first === undefined) return fromFacts(facts, now);
  const each = facts.parts
    .map((part) => fromFacts(part, now))
    .filter((one): one is Entitlement => one !== null && one.plan !== "none");
  const best = each.find(({ plan }) => plan === "active") ?? each[0];
  if (best === undefined) return fromFacts(first, now);
  const ends = each.map(({ until }) => until).filter((until) => until !== null);
  return {
    ...best,
    allowed: each.reduce((sum, { allowed }) => sum + allowed, 0),
    until: ends.length === 0 ? null : Math.min(...ends),
  };
}

function fromFacts(facts: PlanFacts, now: number): Entitlement | null {
  const { status, quantity: allowed, cancel_at: end } = facts;
  if (status === "active" || status === "trialing") {
    if (end === null) return { plan: "active", allowed, until: facts.period_end, reason: "paid" };
    if (now < end + newsGrace)
      return { plan: "cancelled", allowed, until: end, reason: "cancelled_but_paid" };
    return ended("subscription_ended");
  }
  if (facts.paid_until !== null && now < facts.paid_until) {
    return { plan: "cancelled", allowed, until: facts.paid_until, reason: "cancelled_but_paid" };
  }
  if (facts.past_due_since !== null) {
    const until = facts.past_due_since + paymentGrace;
    if (now < until) return { plan: "past_due", allowed, until, reason: "payment_missing" };
    return ended(status === "canceled" ? "subscription_ended" : "payment_overdue");
  }
  return status === "canceled" || status === "paused" ? ended("subscription_ended") : null;
}

function ended(reason: PlanReason): Entitlement {
  return { plan: "none", allowed: 0, until: null, reason };
}

const hour = day / 24;

/**
 * When somebody should look at this workspace again: as its plan changes by time alone, and where Stripe ought to have
 * told something by now. Null: only Stripe's next message changes anything.
 */
export function nextLook(entitlement: Entitlement, facts: PlanFacts | null, now: number): number | null {
  if (facts?.parts != null && entitlement.plan !== "trial" && entitlement.plan !== "self_hosted") {
    const looks = facts.parts
      .map((part) => nextLook(fromFacts(part, now) ?? ended("trial_ended"), { ...part, parts: null }, now))
      .filter((time) => time !== null);
    return looks.length === 0 ? null : Math.min(...looks);
  }
  const later = (time: number, atLeast: number) => Math.max(time, now + atLeast);
  switch (entitlement.plan) {
    case "self_hosted":
      return null;
    case "trial":
      return later(entitlement.until ?? now, 0);
    // A renewal is told within the hour or so that its invoice takes. Nothing heard: ask.
    case "active":
      return later((entitlement.until ?? now) + 2 * hour, 6 * hour);
    // The message that it was paid may be lost, so Stripe is asked before the grace ends.
    case "past_due":
      return Math.min(now + 6 * hour, Math.max((entitlement.until ?? now) - hour, now + hour / 6));
    case "cancelled":
      return later((entitlement.until ?? now) + hour / 4, hour);
    // A payment that arrives late. What has ended does not come back by itself.
    case "none":
      return facts === null || isOver(facts.status) ? null : now + day;
  }
}

function isOver(status: string): boolean {
  return status === "none" || status === "canceled" || status === "incomplete_expired";
}
