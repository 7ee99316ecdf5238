import { adoptJournal, fencesToLookAt } from "../grants/adopt.ts";
import { second, type Clock } from "../lib/clock.ts";
import { errorKind, type Log } from "../lib/log.ts";
import type { GrantState } from "../store/grant-row.ts";
import type { Stores } from "../store/index.ts";

/** Simultaneous work: the platform holds further connections back anyway. */
const atOnce = 6;
/** Nothing new begins after this long, ms: other jobs of the minute wait. */
const beginsFor = 10 * second;
/** Reads of KV in one run, for each unit of its budget and at most: the platform counts them. */
const readsShare = 20;
const mostReads = 300;

export interface AdoptDeps {
  readonly stores: Pick<Stores, "grants" | "blobs">;
  readonly clock: Clock;
  readonly log: Log;
  /** Journals that one run adopts, at most. */
  readonly backgroundBudget: number;
}

/**
 * Adopts the journals of writers that are gone, also for connections that nobody uses just now: it moves ciphertext
 * and needs no key. A grant without a journal stays as it is; its next use decides what to do. Answers how many.
 */
export async function adoptJournals(deps: AdoptDeps): Promise<number> {
  const until = deps.clock() + beginsFor;
  let reads = Math.min(readsShare * deps.backgroundBudget, mostReads);
  const waiting = [...(await deps.stores.grants.abandoned(reads))];
  let adopted = 0;
  while (waiting.length > 0 && reads > 0 && adopted < deps.backgroundBudget && deps.clock() < until) {
    const group = waiting.splice(0, Math.min(atOnce, deps.backgroundBudget - adopted));
    for (const state of group) reads -= fencesToLookAt(state);
    const results = await Promise.all(group.map((state) => adopt(state, deps)));
    adopted += results.filter((done) => done).length;
  }
  return adopted;
}

/** One that fails must not keep the others. */
async function adopt(state: GrantState, { stores, log }: AdoptDeps): Promise<boolean> {
  try {
    return (await adoptJournal(state, stores, "schedule")) === "adopted";
  } catch (error) {
    log({ event: "background_failed", connection: state.id, error: errorKind(error) });
    return false;
  }
}
