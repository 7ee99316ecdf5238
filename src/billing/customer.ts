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
  const bound = await subscriptions.bind(user.workspace_id, user.id, id, known);
  if (bound === null) throw new Fault("storage_unavailable", { retryAfter: 1 });
  return bound;
}

/** The customer that the user has, for what needs one. */
export async function requireCustomer(user: User, client: Stripe, deps: SyncDeps): Promise<string> {
  const known = (await deps.stores.subscriptions.read(user.workspace_id))?.customer_id ?? null;
  if (known === null || !(await isOwn(known, user, client))) throw new Fault("not_subscribed");
  return known;
}

/** False where Stripe no longer has it. */
async function isOwn(id: string, user: User, client: Stripe): Promise<boolean> {
  try {
    const customer = await client.customers.retrieve(id);
    if (customer.deleted === true) return false;
    if (customer.metadata["user_id"] !== user.id) throw new Fault("customer_mismatch");
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
