import type Stripe from "stripe";
import { toHex } from "../lib/bytes.ts";
import { minute } from "../lib/clock.ts";
import { Fault } from "../lib/fault.ts";
import type { Random } from "../lib/random.ts";
import type { User } from "../store/users.ts";
import { ensureCustomer, requireCustomer } from "./customer.ts";
import { isLive } from "./facts.ts";
import { withIntent } from "./intent.ts";
import { syncCustomer, type SyncDeps } from "./settle.ts";
import { idempotencyKey, isMissing } from "./client.ts";

/** Nothing heard of a checkout after this time: the job asks. */
const checkoutNews = 60 * minute;

export interface CheckoutRequest {
  readonly quantity: number;
  /** Address of the page that people come back to. */
  readonly page: string;
}

/**
 * Begins a checkout and answers its address. One that is open for the same is gone on with, any other is ended, so that
 * nobody pays twice from two tabs.
 */
export async function beginCheckout(
  user: User,
  { quantity, page }: CheckoutRequest,
  deps: SyncDeps,
): Promise<{ readonly id: string; readonly url: string }> {
  const client = await deps.billing.stripe();
  const customer = await ensureCustomer(user, client, deps);
  const present = await syncCustomer(customer, null, deps);
  if (present?.subscriptions.some(isLive) === true) throw new Fault("already_subscribed");
  const metadata = { user_id: user.id, price: deps.billing.priceId, quantity: String(quantity), page };
  const { data: earlier } = await client.checkout.sessions.list({ customer, limit: 10 });
  for (const session of earlier.filter(({ status }) => status === "open")) {
    const isSame = Object.entries(metadata).every(([name, value]) => session.metadata?.[name] === value);
    if (isSame && session.url !== null) return { id: session.id, url: session.url };
    await expire(session.id, client);
  }
  const params: Stripe.Checkout.SessionCreateParams = {
    mode: "subscription",
    customer,
    client_reference_id: user.id,
    line_items: [{ price: deps.billing.priceId, quantity }],
    metadata,
    subscription_data: { metadata: { user_id: user.id } },
    success_url: `${page}?checkout={CHECKOUT_SESSION_ID}`,
    cancel_url: page,
  };
  // Two requests at once see the same newest session, so they make one; after it ended the intent is another.
  const session = await withIntent(user.workspace_id, deps, async (version) => {
    const intent = `checkout/${customer}/${earlier[0]?.id ?? ""}/${version}`;
    return await client.checkout.sessions.create(params, {
      idempotencyKey: await idempotencyKey(intent, params),
    });
  });
  if (session.url === null) throw new Fault("billing_unavailable", { retryAfter: 30 });
  await deps.stores.subscriptions.lookWithin(user.workspace_id, checkoutNews);
  return { id: session.id, url: session.url };
}

/** Somebody may have paid or expired it in the meantime. */
async function expire(id: string, client: Stripe): Promise<void> {
  try {
    await client.checkout.sessions.expire(
      id,
      {},
      { idempotencyKey: await idempotencyKey(`expire/${id}`, {}) },
    );
  } catch (error) {
    const { status } = await client.checkout.sessions.retrieve(id);
    if (status === "complete") throw new Fault("already_subscribed");
    if (status !== "expired") throw error;
  }
}

/**
 * Asks Stripe how things stand, so that who comes back from it needs no webhook. Answers the state of the session, if
 * one was named: it must be of this user's customer and begun by this user.
 */
export async function verifyCheckout(
  user: User,
  sessionId: string | undefined,
  deps: SyncDeps,
): Promise<string | null> {
  const client = await deps.billing.stripe();
  const customer = await requireCustomer(user, client, deps);
  const session = sessionId === undefined ? null : await retrieve(sessionId, client);
  if (session !== null && (idOf(session.customer) !== customer || session.client_reference_id !== user.id)) {
    throw new Fault("unknown_checkout");
  }
  await syncCustomer(customer, null, deps);
  return session?.status ?? null;
}

async function retrieve(id: string, client: Stripe): Promise<Stripe.Checkout.Session> {
  try {
    return await client.checkout.sessions.retrieve(id);
  } catch (error) {
    if (isMissing(error)) throw new Fault("unknown_checkout");
    throw error;
  }
}

function idOf(reference: string | { readonly id: string } | null): string | null {
  return typeof reference === "string" ? reference : (reference?.id ?? null);
}

/** The address of Stripe's own page for cards, invoices and ending a subscription. It is good for minutes. */
export async function openPortal(
  user: User,
  page: string,
  deps: SyncDeps & { readonly random: Random },
): Promise<string> {
  const client = await deps.billing.stripe();
  const customer = await requireCustomer(user, client, deps);
  const params = { customer, return_url: page };
  // Each visit is an intent of its own; the key is for a repeat on the way.
  const key = await idempotencyKey(`portal/${toHex(deps.random(16))}`, params);
  const session = await client.billingPortal.sessions.create(params, { idempotencyKey: key });
  // What is changed there comes as events; should they be lost, the job asks.
  await deps.stores.subscriptions.lookWithin(user.workspace_id, checkoutNews);
  return session.url;
}
