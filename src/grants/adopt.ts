import type { Blobs, BlobName, Journal } from "../store/blobs.ts";
import { journalDelay, type GrantState, type RenewedBy } from "../store/grant-row.ts";
import { type GrantStates } from "../store/grant-state.ts";

/** Leases looked through for a journal, at most: one writer at a time, so more means a long outage. */
const fencesLookedAt = 20;

/** The writer may still be at work, or its journal not visible yet: ms to wait, 0 when the journal can be looked for. */
export function adoptionWait(state: Pick<GrantState, "lease_until" | "now">): number {
  return Math.max(0, state.lease_until + journalDelay - state.now);
}

/** How many names a journal may be under. */
export function fencesToLookAt(state: Pick<GrantState, "fence" | "blob_fence">): number {
  return Math.min(state.fence - state.blob_fence, fencesLookedAt);
}

/** The newest journal of the writers since the current blob's. */
export async function findJournal(
  state: Pick<GrantState, "id" | "gen" | "fence" | "blob_fence">,
  blobs: Blobs,
): Promise<{ readonly name: BlobName; readonly journal: Journal } | null> {
  const lowest = state.fence - fencesToLookAt(state);
  for (let fence = state.fence; fence > lowest; fence -= 1) {
    const name = { connectionId: state.id, generation: state.gen + 1, fence };
    const journal = await blobs.getJournal(name);
    if (journal !== null) return { name, journal };
  }
  return null;
}

/**
 * Looks for the journal of a writer that is gone, and makes it the current generation. It moves ciphertext and needs
 * no key, so the minute job does it too. `overtaken`: somebody else changed the row meanwhile.
 */
export async function adoptJournal(
  state: GrantState,
  stores: { readonly grants: GrantStates; readonly blobs: Blobs },
  by: RenewedBy,
): Promise<"adopted" | "none" | "overtaken"> {
  const found = await findJournal(state, stores.blobs);
  if (found === null) return "none";
  const { name, journal } = found;
  const seen = { connectionId: state.id, gen: state.gen, fence: state.fence };
  if (!(await stores.grants.adopt(seen, name.fence, journal.blob, journal.facts, by))) return "overtaken";
  await stores.blobs.put(name, journal.blob);
  await stores.blobs.deleteJournal(name);
  return "adopted";
}
