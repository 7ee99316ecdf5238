import { rewrapAll, type KeyDeps } from "../grants/rewrap.ts";
import type { Clock } from "../lib/clock.ts";
import type { Stores } from "../store/index.ts";
import type { Rotation } from "../store/rotations.ts";

/** Data keys of one batch: a page, and two statements that write. */
const batch = 100;
/** Batches of one run, at most: one, of three queries, for each unit of its budget. */
const mostBatches = 30;

export interface RewrapDeps extends KeyDeps {
  readonly stores: Pick<Stores, "rotations" | "loadedKeys">;
  readonly clock: Clock;
  readonly backgroundBudget: number;
}

export interface RewrapRun {
  readonly done: number;
  readonly unreadable: number;
  /** Where the next run goes on; empty: every list was walked to its end. */
  readonly position: string;
  /** Nothing that opens lacks a wrapping any more. */
  readonly complete: boolean;
}

/**
 * Adds a wrapping under the rotation's key to data keys that have none: those of one list of master keys after the
 * other, by id. Each batch is written before the next is read, so it may end anywhere; what was wrapped has left its
 * list. `until` is when it stops, ms.
 */
export async function rewrap(rotation: Rotation, until: number, deps: RewrapDeps): Promise<RewrapRun> {
  const { rotations } = deps.stores;
  const sets = await lackingSets(rotation, deps);
  let [left, done, unreadable] = [Math.min(deps.backgroundBudget, mostBatches), 0, 0];
  for (const set of sets) {
    const name = set.join(",");
    let after = startIn(name, rotation.position);
    while (after !== undefined) {
      if (left === 0 || deps.clock() >= until) {
        return { done, unreadable, position: `${name}/${after}`, complete: false };
      }
      left -= 1;
      const page = await rotations.wrappedBy(set, deps.keyring.fingerprints, after, batch);
      const wrapped = await rewrapAll(page, deps.keyring.active, deps);
      if (wrapped.length > 0) await rotations.addWrappings(rotation.fingerprint, wrapped);
      done += wrapped.length;
      unreadable += page.length - wrapped.length;
      after = page.length < batch ? undefined : page.at(-1)?.id;
    }
  }
  // What is left does not open: a pass over all of it has shown that, or there is nothing.
  const complete =
    rotation.position === "" && (done === 0 || (await lackingSets(rotation, deps)).length === 0);
  return { done, unreadable, position: "", complete };
}

/** The lists without the rotation's key of which some key is loaded here: the others are for `checkFingerprints`. */
async function lackingSets(rotation: Rotation, deps: RewrapDeps): Promise<readonly (readonly string[])[]> {
  const sets = await deps.stores.loadedKeys.inUse();
  return sets.filter(
    (set) => !set.includes(rotation.fingerprint) && set.some((key) => deps.keyring.byFingerprint.has(key)),
  );
}

/** Where to begin in a list, or undefined for one that was walked before the position. */
function startIn(name: string, position: string): string | undefined {
  const [list = "", id = ""] = position.split("/");
  if (name === list) return id;
  return name > list ? "" : undefined;
}
