import type Stripe from "stripe";
import { Fault } from "../lib/fault.ts";
import type { User } from "../store/users.ts";
import type { SyncDeps } from "./settle.ts";
import { idempotencyKey, isMissing } from "./client.ts";

/**
 * The user's customer at Stripe, made on first need. The two name each other: our row the customer, the customer's
 * metadata the user. A customer that names somebody else is not used for anything.
 */
export async function ensureCustomer(user: User, client: Stripe, deps: SyncDeps): Promise<string> {
  const { subscriptions } = deps.stores;
  const known = (await subscriptions.read(user.workspace_id))?.customer_id ?? null;
  if (known !== null && (await isOwn(known, user, client))) return known;
  const params = { metadata: { user_id: user.id }, ...(user.email === null ? {} : { email: user.email }) };
  // A customer that was deleted at Stripe is replaced, hence the intent names it.
  const key = await idempotencyKey(`customer/${user.id}/${known ?? ""}`, params);
  const { id } = await client.customers.create(params, { idempotencyKey: key });
  let bound: string | null;
  try {
    bound = await subscriptions.bind(user.workspace_id, user.id, id, known);
  } catch (error) {
    // The answer may be lost and the binding there.
    const row = await subscriptions.read(user.workspace_id);
    if (row?.customer_id !== id) await client.customers.del(id);
    throw error;
  }
  // Nobody here would know of it: another one is bound, or the account is being deleted.
  if (bound !== id) await client.customers.del(id);
  if (bound === null) throw new Fault("account_erasing");
  return bound;
}

/** The customer that the user has, for what needs one. */
export async function requireCustomer(user: User, client: Stripe, deps: SyncDeps): Promise<string> {
  const known = (await deps.stores.subscriptions.read(user.workspace_id))?.customer_id ?? null;
  if (known === null || !(await isOwn(known, user, client))) throw new Fault("not_subscribed");
  return known;
}

/** False where it was deleted. One that Stripe does not know is another account's: it is not replaced. */
async function isOwn(id: string, user: User, client: Stripe): Promise<boolean> {
  try {
    const customer = await client.customers.retrieve(id);
    if (customer.deleted === true) return false;
    if (customer.metadata["user_id"] !== user.id) throw new Fault("customer_mismatch");
    return true;
  } catch (error) {
    if (isMissing(error)) throw new Fault("customer_mismatch");
    throw error;
  }
}
