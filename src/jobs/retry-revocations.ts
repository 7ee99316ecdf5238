import { retryRevocation, type RevocationDeps } from "../grants/revocation.ts";
import { second } from "../lib/clock.ts";
import { errorKind } from "../lib/log.ts";
import type { WaitingRevocation } from "../store/revocations.ts";
import { hostOf, workInLanes } from "./lanes.ts";

/** Nothing new begins after this long, ms. */
const beginsFor = 60 * second;
/** Rows looked at for each one that may be tried: those of a provider that rests must not hide the others. */
const lookAhead = 10;

export interface RetryDeps extends RevocationDeps {
  /** Connections that one run works on, at most. */
  readonly backgroundBudget: number;
}

/**
 * Asks providers again to revoke what they did not revoke when its connection was disconnected. Nobody waits for it:
 * what is left when its time is over, or is at a provider that keeps failing, waits for a later run.
 */
export async function retryRevocations(deps: RetryDeps): Promise<number> {
  const { backgroundBudget, clock, log, stores } = deps;
  const until = clock() + beginsFor;
  const found = [...(await stores.revocations.waiting(lookAhead * backgroundBudget))];
  let [begun, tried] = [0, 0];
  await workInLanes<WaitingRevocation>({
    next: () => Promise.resolve(found.splice(0)),
    laneOf: (row) => hostOf(row.issuer ?? row.id),
    work: async (row) => {
      begun += 1;
      try {
        const result = await retryRevocation(row, deps);
        if (result !== "overtaken") tried += 1;
        return result !== "failed";
      } catch (error) {
        log({ event: "revocation_failed", connection: row.id, error: errorKind(error) });
        return true;
      }
    },
    mayBegin: () => begun < backgroundBudget && clock() < until,
  });
  return tried;
}
