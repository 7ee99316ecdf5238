import type Stripe from "stripe";
import { z } from "zod";
import * as state from "./account.ts";
import type { Account } from "./account.ts";
import { makeInvoice, makePortalSession, makeSession } from "./documents.ts";
import { checkParams, invalid, missing } from "./form.ts";
import { costOf, makeCustomer } from "./objects.ts";

interface Asked {
  readonly account: Account;
  readonly id: string;
  readonly params: unknown;
  /** Origin of this server, for its pages. */
  readonly origin: string;
}

interface Route {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: RegExp;
  /** Changes nothing, though it is a POST. */
  readonly reads?: boolean;
  readonly run: (asked: Asked) => object;
}

const whole = z.coerce.number().int();
const metadata = z.record(z.string(), z.string());
const none = z.strictObject({});
const limit = whole.min(1).max(100);

const customerParams = z.strictObject({ email: z.string().optional(), metadata });
const sessionParams = z.strictObject({
  mode: z.literal("subscription"),
  customer: z.string(),
  client_reference_id: z.string(),
  line_items: z.tuple([z.strictObject({ price: z.string(), quantity: whole.positive() })]),
  metadata,
  subscription_data: z.strictObject({ metadata }),
  success_url: z.url(),
  cancel_url: z.url(),
});
const itemParams = z.tuple([z.strictObject({ id: z.string(), quantity: whole.positive() })]);
const updateParams = z.strictObject({
  items: itemParams,
  proration_behavior: z.literal("always_invoice"),
  proration_date: whole.optional(),
  payment_behavior: z.literal("error_if_incomplete"),
});
const previewParams = z.strictObject({
  customer: z.string(),
  subscription: z.string(),
  subscription_details: z.strictObject({
    items: itemParams,
    proration_behavior: z.literal("always_invoice"),
    proration_date: whole,
  }),
});
const subscriptionList = z.strictObject({ customer: z.string(), status: z.literal("all"), limit });
const invoiceList = z.strictObject({ subscription: z.string(), limit });

/** The routes that Bindify uses, and none else. */
export const routes: readonly Route[] = [
  {
    method: "GET",
    path: /^\/v1\/prices\/(price_\w+)$/,
    run: ({ account, id, params }) => {
      checkParams(z.strictObject({ expand: z.tuple([z.literal("tiers")]) }), params);
      return state.priceOf(account, id);
    },
  },
  { method: "POST", path: /^\/v1\/customers$/, run: createCustomer },
  {
    method: "GET",
    path: /^\/v1\/customers\/(cus_\w+)$/,
    run: ({ account, id, params }) => {
      checkParams(none, params);
      return state.found(account.customers, "customer", id);
    },
  },
  {
    method: "DELETE",
    path: /^\/v1\/customers\/(cus_\w+)$/,
    run: ({ account, id }) => state.deleteCustomer(account, id),
  },
  { method: "POST", path: /^\/v1\/checkout\/sessions$/, run: createSession },
  {
    method: "GET",
    path: /^\/v1\/checkout\/sessions$/,
    run: ({ account, params }) => {
      const wanted = checkParams(z.strictObject({ customer: z.string(), limit }), params);
      const own = [...account.sessions.values()].filter(({ customer }) => customer === wanted.customer);
      return list(own.toReversed().slice(0, wanted.limit));
    },
  },
  {
    method: "GET",
    path: /^\/v1\/checkout\/sessions\/(cs_\w+)$/,
    run: ({ account, id }) => state.found(account.sessions, "checkout.session", id),
  },
  {
    method: "POST",
    path: /^\/v1\/checkout\/sessions\/(cs_\w+)\/expire$/,
    run: ({ account, id, params }) => {
      checkParams(none, params);
      const session = state.found(account.sessions, "checkout.session", id);
      if (session.status !== "open") throw invalid("Only open sessions can be expired.");
      session.status = "expired";
      session.url = null;
      state.tell(account, "checkout.session.expired", session);
      return session;
    },
  },
  { method: "POST", path: /^\/v1\/billing_portal\/sessions$/, run: createPortal },
  {
    method: "GET",
    path: /^\/v1\/subscriptions$/,
    run: ({ account, params }) => {
      const { customer } = checkParams(subscriptionList, params);
      if (usable(account, customer) === undefined) throw missing("customer", customer);
      const own = [...account.subscriptions.values()].filter((one) => one.customer === customer);
      return list(own.toReversed());
    },
  },
  {
    method: "GET",
    path: /^\/v1\/invoices$/,
    run: ({ account, params }) => {
      const wanted = checkParams(invoiceList, params);
      const { id } = state.found(account.subscriptions, "subscription", wanted.subscription);
      return list(state.invoicesOf(account, id).slice(0, wanted.limit));
    },
  },
  { method: "POST", path: /^\/v1\/subscriptions\/(sub_\w+)$/, run: updateSubscription },
  {
    method: "DELETE",
    path: /^\/v1\/subscriptions\/(sub_\w+)$/,
    run: ({ account, id }) => {
      const subscription = state.found(account.subscriptions, "subscription", id);
      if (subscription.status === "canceled") throw missing("subscription", id);
      state.end(account, subscription, "cancellation_requested");
      return subscription;
    },
  },
  { method: "POST", path: /^\/v1\/invoices\/create_preview$/, reads: true, run: preview },
];

function list<T>(data: readonly T[]): Stripe.ApiList<T> {
  return { object: "list", data: [...data], has_more: false, url: "/v1/list" };
}

function usable(account: Account, id: string): Stripe.Customer | undefined {
  const customer = account.customers.get(id);
  return customer === undefined || customer.deleted === true ? undefined : customer;
}

function createCustomer({ account, params }: Asked): Stripe.Customer {
  const customer = makeCustomer(
    state.newId("cus"),
    state.nowOf(account),
    checkParams(customerParams, params),
  );
  account.customers.set(customer.id, customer);
  state.tell(account, "customer.created", customer);
  return customer;
}

function createSession({ account, params, origin }: Asked): Stripe.Checkout.Session {
  const wanted = checkParams(sessionParams, params);
  if (usable(account, wanted.customer) === undefined) throw missing("customer", wanted.customer);
  const [line] = wanted.line_items;
  const id = state.newId("cs_test");
  const session = makeSession({
    id,
    url: `${origin}/c/pay/${id}`,
    now: state.nowOf(account),
    customer: wanted.customer,
    reference: wanted.client_reference_id,
    metadata: wanted.metadata,
    successUrl: wanted.success_url,
    cancelUrl: wanted.cancel_url,
    total: costOf(line.quantity),
  });
  state.priceOf(account, line.price);
  account.sessions.set(id, session);
  return session;
}

function createPortal({ account, params, origin }: Asked): Stripe.BillingPortal.Session {
  const wanted = checkParams(z.strictObject({ customer: z.string(), return_url: z.url() }), params);
  if (usable(account, wanted.customer) === undefined) throw missing("customer", wanted.customer);
  const id = state.newId("bps");
  const url = `${origin}/p/session/${id}`;
  const session = makePortalSession(id, url, state.nowOf(account), wanted.customer, wanted.return_url);
  account.portals.set(id, session);
  return session;
}

function updateSubscription({ account, id, params }: Asked): Stripe.Subscription {
  const { items, proration_date: date } = checkParams(updateParams, params);
  const subscription = state.found(account.subscriptions, "subscription", id);
  if (subscription.status === "canceled")
    throw invalid("A canceled subscription can only update its metadata.");
  if (state.itemOf(subscription).id !== items[0].id) throw missing("subscription_item", items[0].id);
  state.setQuantity(account, subscription, items[0].quantity, date ?? state.nowOf(account));
  return subscription;
}

function preview({ account, params }: Asked): Stripe.Invoice {
  const { customer, subscription: id, subscription_details: wanted } = checkParams(previewParams, params);
  const subscription = state.found(account.subscriptions, "subscription", id);
  if (subscription.customer !== customer) throw missing("subscription", id);
  const total = state.prorate(subscription, wanted.items[0].quantity, wanted.proration_date);
  const now = state.nowOf(account);
  const more = { subscription: id, reason: "upcoming", paid: false } as const;
  return makeInvoice({ id: "upcoming_in", customer, now, total, ...more });
}
