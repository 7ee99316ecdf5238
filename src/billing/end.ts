import { Fault } from "../lib/fault.ts";
import type { User } from "../store/users.ts";
import type { BillingDeps, Billing } from "./billing.ts";
import { isMissing, stripeFault } from "./client.ts";
import { isDeleted, readSubscriptions } from "./read.ts";

type EndDeps = Omit<BillingDeps, "billing"> & { readonly billing: Billing | undefined };

/**
 * Ends all billing of a user: the subscriptions at once, then the customer with its payment methods, then what is kept
 * here. Every step may find itself done, so it can be begun again wherever it stopped. Where Stripe cannot be asked it
 * fails: somebody whose account is gone must not go on paying.
 */
export async function endBilling(user: Pick<User, "workspace_id">, deps: EndDeps): Promise<void> {
  const { subscriptions, billingEvents } = deps.stores;
  const customer = (await subscriptions.read(user.workspace_id))?.customer_id ?? null;
  if (customer !== null) {
    if (deps.billing === undefined) throw new Fault("billing_not_configured");
    try {
      await endCustomer(customer, deps.billing);
    } catch (error) {
      throw stripeFault(error);
    }
  }
  await billingEvents.forget(user.workspace_id);
  await subscriptions.forget(user.workspace_id);
}

async function endCustomer(customer: string, billing: Billing): Promise<void> {
  const client = await billing.stripe();
  for (const { id, status } of await readSubscriptions(customer, client)) {
    if (status === "canceled" || status === "incomplete_expired") continue;
    try {
      await client.subscriptions.cancel(id);
    } catch (error) {
      // It was there a moment ago, so it ended in the meantime.
      if (!isMissing(error)) throw error;
    }
  }
  try {
    await client.customers.del(customer);
  } catch (error) {
    if (!isMissing(error) || !(await isDeleted(customer, client))) throw error;
  }
}
