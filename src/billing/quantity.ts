import type Stripe from "stripe";
import { second } from "../lib/clock.ts";
import { Fault } from "../lib/fault.ts";
import type { User } from "../store/users.ts";
import { requireCustomer } from "./customer.ts";
import { factsOf, isLive, isPaid } from "./facts.ts";
import { withIntent } from "./intent.ts";
import { syncCustomer, type SyncDeps } from "./settle.ts";
import { idempotencyKey } from "./client.ts";

interface Change {
  readonly client: Stripe;
  readonly customer: string;
  readonly subscription: Stripe.Subscription;
  readonly item: string;
  readonly quantity: number;
  readonly same: boolean;
}

export interface QuantityPreview {
  readonly currency: string;
  /** What is paid at once, in the currency's smallest unit; below zero it is credited to the next invoices. */
  readonly amount_due: number;
  /** Given back with the change, the amount is exactly this. Seconds since the epoch, as Stripe has it. */
  readonly proration_date: number;
}

/** What a change would cost now, changing nothing. */
export async function previewQuantity(
  user: User,
  quantity: number,
  deps: SyncDeps & { readonly clock: () => number },
): Promise<QuantityPreview> {
  const change = await prepare(user, quantity, deps);
  const { client, customer, subscription } = change;
  const date = Math.floor(deps.clock() / second);
  const invoice = await client.invoices.createPreview({
    customer,
    subscription: subscription.id,
    subscription_details: {
      items: [{ id: change.item, quantity: change.quantity }],
      proration_behavior: "always_invoice",
      proration_date: date,
    },
  });
  // What is paid may be less than the total: the customer may have credit.
  const amount = invoice.total < 0 ? invoice.total : invoice.amount_due;
  return { currency: invoice.currency, amount_due: amount, proration_date: date };
}

/**
 * Changes how many connections are paid for, at once and with proration: more are paid for now, fewer are credited. A
 * payment that fails changes nothing.
 */
export async function changeQuantity(
  user: User,
  quantity: number,
  prorationDate: number | undefined,
  deps: SyncDeps,
): Promise<void> {
  const { client, customer, subscription, item, ...wanted } = await prepare(user, quantity, deps);
  if (wanted.same) return;
  const params: Stripe.SubscriptionUpdateParams = {
    items: [{ id: item, quantity: wanted.quantity }],
    proration_behavior: "always_invoice",
    payment_behavior: "error_if_incomplete",
    ...(prorationDate === undefined ? {} : { proration_date: prorationDate }),
  };
  // Back and forth to the same quantity is a new intent: something changed in between, which the version counts.
  await withIntent(user.workspace_id, deps, async (version) => {
    const key = await idempotencyKey(`quantity/${subscription.id}/${version}`, params);
    await client.subscriptions.update(subscription.id, params, { idempotencyKey: key });
  });
  await syncCustomer(customer, null, deps);
}

/** Sees how things stand at Stripe first: what is stored here may be older. */
async function prepare(user: User, quantity: number, deps: SyncDeps): Promise<Change> {
  const client = await deps.billing.stripe();
  const customer = await requireCustomer(user, client, deps);
  const present = await syncCustomer(customer, null, deps);
  const live = present?.subscriptions.filter(isLive) ?? [];
  // A change of one that is owed makes an invoice beside what is owed, and fewer connections a credit.
  const paid = live.filter(isPaid);
  if (paid.length === 0 && live.length > 0) throw new Fault("payment_overdue");
  const facts = factsOf(paid);
  const subscription = paid.find(({ id }) => id === facts.subscription_id);
  const item = subscription?.items.data[0];
  if (subscription === undefined || item === undefined) throw new Fault("not_subscribed");
  // Of somebody with two subscriptions the newer changes, by as much as the sum is to.
  const others = facts.quantity - (item.quantity ?? 0);
  if (quantity <= others) {
    const message = `You pay for ${others} in another subscription. End that one first.`;
    throw new Fault("invalid_request", { errors: [{ path: "quantity", message }] });
  }
  const wanted = quantity - others;
  return { client, customer, subscription, item: item.id, quantity: wanted, same: wanted === item.quantity };
}
