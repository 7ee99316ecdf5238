import type Stripe from "stripe";
import { isMissing } from "./client.ts";
import { needsInvoices, type InvoicesOf } from "./facts.ts";

/** All of a customer's subscriptions, also those that ended. A customer that was deleted has none. */
export async function readSubscriptions(
  customer: string,
  client: Stripe,
): Promise<readonly Stripe.Subscription[]> {
  try {
    return (await client.subscriptions.list({ customer, status: "all", limit: 100 })).data;
  } catch (error) {
    if (isMissing(error) && (await isDeleted(customer, client))) return [];
    throw error;
  }
}

/**
 * Stripe goes on knowing a customer that was deleted, as deleted. One that it does not know is another account's or
 * another mode's: a wrong key must not look like a customer without a subscription, so that ends in Stripe's error.
 */
export async function isDeleted(customer: string, client: Stripe): Promise<boolean> {
  return (await client.customers.retrieve(customer)).deleted === true;
}

/** The last hundred invoices of each subscription of which they say what is owed or paid. `now` in ms. */
export async function readInvoices(
  subscriptions: readonly Stripe.Subscription[],
  now: number,
  client: Stripe,
): Promise<InvoicesOf> {
  const invoices = new Map<string, readonly Stripe.Invoice[]>();
  for (const subscription of subscriptions.filter((one) => needsInvoices(one, now))) {
    const { id } = subscription;
    invoices.set(id, (await client.invoices.list({ subscription: id, limit: 100 })).data);
  }
  return invoices;
}
