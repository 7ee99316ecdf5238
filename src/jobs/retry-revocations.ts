import { retryRevocation, type RevocationDeps } from "../grants/revocation.ts";

export interface RetryDeps extends RevocationDeps {
  /** Connections that one run works on, at most. */
  readonly backgroundBudget: number;
}

/**
 * Asks providers again to revoke what they did not revoke when its connection was disconnected. One at a time: nobody
 * waits for it, and a provider that is down is not pressed.
 */
export async function retryRevocations(deps: RetryDeps): Promise<number> {
  let tried = 0;
  for (const waiting of await deps.stores.revocations.waiting(deps.backgroundBudget)) {
    if (await retryRevocation(waiting, deps)) tried += 1;
  }
  return tried;
}
