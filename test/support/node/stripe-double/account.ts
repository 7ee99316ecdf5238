import { randomBytes } from "node:crypto";
import type Stripe from "stripe";
import { makeEvent, makeInvoice, type DoubleEvent } from "./documents.ts";
import { invalid, missing, StripeFailure } from "./form.ts";
import { costOf, makePrice, makeSubscription, month } from "./objects.ts";

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly key: string | null;
}

interface Replay {
  readonly request: string;
  readonly status: number;
  readonly body: string;
}

/** What Stripe keeps for one API key. Each test has its own. */
export interface Account {
  readonly prices: Map<string, Stripe.Price>;
  readonly customers: Map<string, Stripe.Customer | Stripe.DeletedCustomer>;
  readonly subscriptions: Map<string, Stripe.Subscription>;
  readonly invoices: Map<string, Stripe.Invoice>;
  readonly sessions: Map<string, Stripe.Checkout.Session>;
  readonly portals: Map<string, Stripe.BillingPortal.Session>;
  readonly events: DoubleEvent[];
  readonly replays: Map<string, Replay>;
  readonly calls: Call[];
  /** Seconds that its clock is ahead. */
  offset: number;
  /** How many of the next requests fail. */
  failures: number;
  /** The next payments are declined. */
  declines: boolean;
  /** Called with each new event. */
  deliver: ((event: DoubleEvent) => void) | undefined;
}

export function createAccount(): Account {
  return {
    prices: new Map(),
    customers: new Map(),
    subscriptions: new Map(),
    invoices: new Map(),
    sessions: new Map(),
    portals: new Map(),
    events: [],
    replays: new Map(),
    calls: [],
    offset: 0,
    failures: 0,
    declines: false,
    deliver: undefined,
  };
}

export const newId = (prefix: string): string => `${prefix}_${randomBytes(12).toString("hex")}`;

export const nowOf = (account: Account): number => Math.floor(Date.now() / 1000) + account.offset;

export function found<T>(map: ReadonlyMap<string, T>, what: string, id: string): T {
  const value = map.get(id);
  if (value === undefined) throw missing(what, id);
  return value;
}

/** Any price that is asked for exists. */
export function priceOf(account: Account, id: string): Stripe.Price {
  const price = account.prices.get(id) ?? makePrice(id, nowOf(account));
  account.prices.set(id, price);
  return price;
}

export function tell(account: Account, type: Stripe.Event.Type, object: object): void {
  const event = makeEvent(newId("evt"), type, object, nowOf(account));
  account.events.push(event);
  account.deliver?.(event);
}

export function itemOf(subscription: Stripe.Subscription): Stripe.SubscriptionItem {
  const [item] = subscription.items.data;
  if (item === undefined) throw new Error("a subscription without an item");
  return item;
}

/** The newest first. */
export function invoicesOf(account: Account, subscription: string): readonly Stripe.Invoice[] {
  const isOwn = (one: Stripe.Invoice) => one.parent?.subscription_details?.subscription === subscription;
  return [...account.invoices.values()].filter(isOwn).toReversed();
}

function invoiceFor(
  account: Account,
  subscription: Stripe.Subscription,
  total: number,
  paid: boolean,
  reason: "subscription_create" | "subscription_cycle" | "subscription_update",
): void {
  const { customer } = subscription;
  if (typeof customer !== "string") throw new TypeError("customers are kept as ids");
  const invoice = makeInvoice({
    id: newId("in"),
    customer,
    now: nowOf(account),
    total,
    paid,
    subscription: subscription.id,
    reason,
  });
  account.invoices.set(invoice.id, invoice);
  subscription.latest_invoice = invoice.id;
  tell(account, paid ? "invoice.paid" : "invoice.payment_failed", invoice);
}

/** What the pay button of the checkout page does. */
export function payCheckout(account: Account, id: string): Stripe.Checkout.Session {
  const session = found(account.sessions, "checkout.session", id);
  if (session.status !== "open") throw invalid("This checkout session is not open.");
  const { customer, metadata } = session;
  if (typeof customer !== "string") throw new TypeError("customers are kept as ids");
  const price = metadata?.["price"] ?? "price_connections";
  const subscription = subscribe(account, customer, price, Number(metadata?.["quantity"] ?? 1));
  session.status = "complete";
  session.payment_status = "paid";
  session.subscription = subscription.id;
  session.url = null;
  tell(account, "checkout.session.completed", session);
  return session;
}

/** Also what an operator does by hand: a second subscription of the same customer. */
export function subscribe(
  account: Account,
  customer: string,
  price: string,
  quantity: number,
): Stripe.Subscription {
  const subscription = makeSubscription({
    id: newId("sub"),
    item: newId("si"),
    customer,
    price: priceOf(account, price),
    quantity,
    now: nowOf(account),
    metadata: {},
  });
  account.subscriptions.set(subscription.id, subscription);
  invoiceFor(account, subscription, costOf(quantity), true, "subscription_create");
  tell(account, "customer.subscription.created", subscription);
  return subscription;
}

/** What the price of another quantity is for the rest of the period. */
export function prorate(subscription: Stripe.Subscription, quantity: number, date: number): number {
  const item = itemOf(subscription);
  if (date < item.current_period_start - 60 || date > item.current_period_end) {
    throw invalid("proration_date must be within the current period.");
  }
  const share = (item.current_period_end - date) / (item.current_period_end - item.current_period_start);
  return Math.round((costOf(quantity) - costOf(item.quantity ?? 0)) * share);
}

export function setQuantity(
  account: Account,
  subscription: Stripe.Subscription,
  quantity: number,
  date: number,
): void {
  const total = prorate(subscription, quantity, date);
  if (total > 0 && account.declines) {
    throw new StripeFailure(402, {
      type: "card_error",
      code: "card_declined",
      message: "Your card was declined.",
    });
  }
  itemOf(subscription).quantity = quantity;
  invoiceFor(account, subscription, total, true, "subscription_update");
  tell(account, "customer.subscription.updated", subscription);
}

export const changes = [
  "renew",
  "miss",
  "pay",
  "give_up",
  "cancel_later",
  "go_on",
  "cancel",
  "fail_out",
] as const;
export type Change = (typeof changes)[number];

/** What happens to a subscription in the course of time. What does not fit its state does nothing. */
export function change(account: Account, subscription: Stripe.Subscription, what: Change): void {
  const item = itemOf(subscription);
  const isOwing = subscription.status === "past_due" || subscription.status === "unpaid";
  if (subscription.status === "canceled") return;
  if (what === "renew" || what === "miss") {
    item.current_period_start = item.current_period_end;
    item.current_period_end += month;
    subscription.status = what === "renew" && !isOwing ? "active" : "past_due";
    const isPaid = subscription.status === "active";
    invoiceFor(account, subscription, costOf(item.quantity ?? 0), isPaid, "subscription_cycle");
  } else if (what === "pay") {
    if (!isOwing) return;
    subscription.status = "active";
    for (const invoice of invoicesOf(account, subscription.id)) {
      if (invoice.status !== "open") continue;
      invoice.status = "paid";
      tell(account, "invoice.paid", invoice);
    }
  } else if (what === "give_up") {
    if (!isOwing) return;
    subscription.status = "unpaid";
  } else if (what === "cancel_later" || what === "go_on") {
    subscription.cancel_at_period_end = what === "cancel_later";
    subscription.cancel_at = what === "cancel_later" ? item.current_period_end : null;
  } else return end(account, subscription, what === "cancel" ? "cancellation_requested" : "payment_failed");
  tell(account, "customer.subscription.updated", subscription);
}

export function end(
  account: Account,
  subscription: Stripe.Subscription,
  reason: "cancellation_requested" | "payment_failed",
): void {
  if (subscription.status === "canceled") return;
  subscription.status = "canceled";
  subscription.canceled_at = nowOf(account);
  subscription.ended_at = nowOf(account);
  subscription.cancellation_details = { comment: null, feedback: null, feedback_option: null, reason };
  tell(account, "customer.subscription.deleted", subscription);
}

export function deleteCustomer(account: Account, id: string): Stripe.DeletedCustomer {
  const known = found(account.customers, "customer", id);
  if (known.deleted === true) throw missing("customer", id);
  for (const subscription of account.subscriptions.values()) {
    if (subscription.customer === id) end(account, subscription, "cancellation_requested");
  }
  const gone = { id, object: "customer", deleted: true } as const;
  account.customers.set(id, gone);
  tell(account, "customer.deleted", known);
  return gone;
}
