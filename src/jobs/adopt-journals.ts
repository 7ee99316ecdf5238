import { adoptJournal } from "../grants/adopt.ts";
import type { Stores } from "../store/index.ts";

const batch = 50;

/**
 * Adopts the journals of writers that are gone, also for connections that nobody uses just now: it moves ciphertext
 * and needs no key. A grant without a journal stays as it is; its next use decides what to do.
 */
export async function adoptJournals(stores: Pick<Stores, "grants" | "blobs">): Promise<number> {
  let adopted = 0;
  for (const state of await stores.grants.abandoned(batch)) {
    if ((await adoptJournal(state, stores, "schedule")) === "adopted") adopted += 1;
  }
  return adopted;
}
