import { day } from "../lib/clock.ts";
import type { Stores } from "../store/index.ts";

/** Sign-ins are remembered this long, ms; a session that lives longer goes on record once more. */
const loginsKept = 90 * day;
/** Days of usage that the page can show. */
const usageDays = 90;

/** Deletes what is only kept for a time: repeats of requests, messages counted, sign-ins seen, counts of use, erasures that ended, events of payments. */
export async function forgetOld(
  stores: Pick<Stores, "idempotency" | "supportNonces" | "users" | "usage" | "erasures" | "billingEvents">,
): Promise<number> {
  const deleted = [
    await stores.idempotency.purge(),
    await stores.supportNonces.purge(),
    await stores.users.forgetLogins(loginsKept),
    await stores.usage.purge(usageDays),
    await stores.erasures.forgetPersons(),
    await stores.billingEvents.purge(),
  ];
  return deleted.reduce((sum, one) => sum + one, 0);
}
