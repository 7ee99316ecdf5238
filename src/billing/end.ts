import { Fault } from "../lib/fault.ts";
import type { User } from "../store/users.ts";
import type { BillingDeps, Billing } from "./billing.ts";
import { readSubscriptions } from "./settle.ts";
import { isMissing, stripeFault } from "./client.ts";

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
    if (deps.billing === undefined) throw new Fault("billing_unavailable");
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
    await unlessGone(client.subscriptions.cancel(id));
  }
  await unlessGone(client.customers.del(customer));
}

async function unlessGone(step: Promise<unknown>): Promise<void> {
  try {
    await step;
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}
