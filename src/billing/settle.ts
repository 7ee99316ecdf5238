import type Stripe from "stripe";
import { minute, second, type Clock } from "../lib/clock.ts";
import { errorKind, type Log } from "../lib/log.ts";
import type { BillingEvent } from "../store/billing-events.ts";
import type { Settlement } from "../store/settlement.ts";
import type { SubscriptionFacts } from "../store/plan-columns.ts";
import type { BillingMail } from "../store/settlement.ts";
import type { Billing, PlanDeps } from "./billing.ts";
import { entitlementOf, nextLook, type Entitlement } from "./entitlement.ts";
import { factsOf } from "./facts.ts";
import { isOutage } from "./client.ts";
import { readInvoices, readSubscriptions } from "./read.ts";

interface Subject {
  readonly workspace_id: string;
  readonly user_id: string | null;
  readonly since: number;
  /** The plan that is written down. */
  readonly plan: string | null;
  readonly now: number;
}

export type SyncDeps = PlanDeps & { readonly billing: Billing };

/** A customer as Stripe has it at present. */
export interface Synced {
  readonly workspaceId: string;
  readonly subscriptions: readonly Stripe.Subscription[];
  /** False: a later answer, or another delivery of the event, came first. */
  readonly written: boolean;
}

/**
 * Asks Stripe for the customer's present state and writes it, with all that follows. This is the only way that Stripe's
 * state gets in: events, the person's return and the job differ in when they ask. Null: nobody here has this customer.
 */
export async function syncCustomer(
  customerId: string,
  event: BillingEvent | null,
  deps: SyncDeps,
): Promise<Synced | null> {
  const ticket = await deps.stores.subscriptions.takeTicket(customerId);
  if (ticket === null) return null;
  const client = await deps.billing.stripe();
  const subscriptions = await readSubscriptions(customerId, client);
  const facts = factsOf(subscriptions, await readInvoices(subscriptions, ticket.now, client));
  const settlement = settlementOf(ticket, facts, deps.billing);
  const written = await deps.stores.subscriptions.apply(ticket, facts, settlement, event);
  return { workspaceId: ticket.workspace_id, subscriptions, written };
}

/** Brings a workspace in line with its plan as the time and Stripe's last answer make it. */
export async function settle(workspaceId: string, deps: PlanDeps): Promise<void> {
  const row = await deps.stores.subscriptions.read(workspaceId);
  if (row === null) return;
  await deps.stores.subscriptions.settle(settlementOf(row, row.facts, deps.billing), row.applied);
}

/** How many workspaces one run looks at: each may be a question to Stripe, and is some ten queries. */
const mostWorkspaces = 20;
/** So many for each unit of the run's budget. */
const share = 2;
/** How long a run goes on to the next workspace; the rest is the next run's. Other jobs wait meanwhile. */
const runLength = 20 * second;
/** A look that failed is made again after this time. */
const again = 10 * minute;

/** The job: looks at the workspaces whose time has come. Answers how many. */
export async function settleDue(
  deps: PlanDeps & { readonly log: Log; readonly clock: Clock; readonly backgroundBudget: number },
): Promise<number> {
  const until = deps.clock() + runLength;
  const { billing } = deps;
  const { subscriptions } = deps.stores;
  const limit = Math.min(mostWorkspaces, share * deps.backgroundBudget);
  // Billing was switched off: what it had suspended comes back.
  const due =
    billing === undefined ? await subscriptions.withSuspended(limit) : await subscriptions.due(limit);
  for (const [at, workspaceId] of due.entries()) {
    if (deps.clock() > until) return at;
    try {
      const row = billing === undefined ? null : await subscriptions.read(workspaceId);
      if (billing === undefined || row?.customer_id == null) await settle(workspaceId, deps);
      else await syncCustomer(row.customer_id, null, { ...deps, billing });
    } catch (error) {
      deps.log({ event: "billing_failed", error: errorKind(error) });
      // Where Stripe does not answer for one it does not for the others, and each would wait for its time to run out.
      const isOut = isOutage(error);
      await subscriptions.postpone(isOut ? due.slice(at) : [workspaceId], again);
      if (isOut) return at;
    }
  }
  return due.length;
}

export function entitlementFor(
  subject: Pick<Subject, "since" | "now">,
  facts: SubscriptionFacts | null,
  billing: Billing | undefined,
): Entitlement {
  return entitlementOf({ billing: billing ?? null, since: subject.since, facts, now: subject.now });
}

function settlementOf(
  subject: Subject,
  facts: SubscriptionFacts | null,
  billing: Billing | undefined,
): Settlement {
  const entitlement = entitlementFor(subject, facts, billing);
  const { plan, allowed } = entitlement;
  return {
    workspaceId: subject.workspace_id,
    userId: subject.user_id,
    plan,
    limit: Number.isFinite(allowed) ? allowed : null,
    auditDays: auditDaysOf(entitlement, billing),
    nextLook: nextLook(entitlement, facts, subject.now),
    mail: mailOf(subject, entitlement, facts),
    occasion: `${subject.workspace_id}/${subject.now}`,
    silent: subject.plan === null && (plan === "trial" || plan === "self_hosted"),
  };
}

function auditDaysOf({ plan }: Entitlement, billing: Billing | undefined): number | null {
  if (billing === undefined) return null;
  if (plan === "trial") return billing.auditDays.trial;
  return plan === "none" ? billing.auditDays.ended : billing.auditDays.paid;
}

const paying = new Set(["active", "past_due", "cancelled"]);

function mailOf(
  subject: Subject,
  { plan }: Entitlement,
  facts: SubscriptionFacts | null,
): BillingMail | null {
  const { user_id: userId } = subject;
  if (userId === null || facts?.subscription_id == null) return null;
  const to = { userId, connectionId: null };
  if (plan === "active" && !paying.has(subject.plan ?? "")) {
    const kind = "subscription_confirmed";
    return { ...to, kind, occasion: `${kind}/${facts.subscription_id}` };
  }
  if (plan === "past_due") {
    const kind = "payment_failed";
    return { ...to, kind, occasion: `${kind}/${facts.subscription_id}/${facts.past_due_since}` };
  }
  return null;
}
