import { second } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import { silence } from "../store/rotation-queries.ts";
import type { Milestone, Rotation } from "../store/rotations.ts";
import type { Keyring } from "../vault/keyring.ts";
import { reencrypt, type ReencryptJobDeps } from "./reencrypt.ts";
import { rewrap, type RewrapDeps } from "./rewrap.ts";

/** How long one run works, ms. */
const runTime = 10 * second;

export interface RotateDeps
  extends Omit<RewrapDeps, "keyring" | "stores">, Omit<ReencryptJobDeps, "keyring" | "stores"> {
  readonly stores: RewrapDeps["stores"] & ReencryptJobDeps["stores"];
  readonly keyring: Keyring | undefined;
  readonly log: Log;
}

/**
 * Goes on with the newest rotation that an operator asked for, as far as one run gets. Only a deployment whose active
 * key is the target does: another has nothing to wrap with. It first adds a wrapping under the target to every data
 * key; a second time once no deployment lacks the target any more, for those that such a one made meanwhile; and then,
 * if it was asked for, replaces the data keys themselves. Answers how many keys and grants it changed.
 */
export async function rotate(deps: RotateDeps): Promise<number> {
  const { keyring, stores } = deps;
  const rotation = await stores.rotations.open();
  if (keyring === undefined || rotation === null) return 0;
  if (keyring.active.fingerprint !== rotation.fingerprint) return 0;
  await stores.rotations.overtake(rotation.id);
  const until = deps.clock() + runTime;
  return rotation.settled_at === null
    ? await addWrappings(rotation, until, { ...deps, keyring })
    : await replaceKeys(rotation, until, { ...deps, keyring });
}

type Ready = RotateDeps & { readonly keyring: Keyring };

async function addWrappings(rotation: Rotation, until: number, deps: Ready): Promise<number> {
  if (rotation.rewrapped_at !== null && !(await isQuiet(rotation, deps))) return 0;
  const { done, unreadable, position, complete } = await rewrap(rotation, until, deps);
  await pause(rotation, position, unreadable, deps);
  if (complete) {
    await reach(rotation, rotation.rewrapped_at === null ? "rewrapped" : "settled", deps);
    if (rotation.rewrapped_at !== null && rotation.reencrypt === 0) await reach(rotation, "finished", deps);
  }
  return done;
}

/** Every deployment that did not have the target is gone for 15 minutes. */
async function isQuiet(rotation: Rotation, { stores }: Ready): Promise<boolean> {
  if (rotation.now - rotation.requested_at < silence) return false;
  return !(await stores.loadedKeys.lacking(rotation.fingerprint, silence));
}

async function replaceKeys(rotation: Rotation, until: number, deps: Ready): Promise<number> {
  if (rotation.reencrypt === 0) {
    await reach(rotation, "finished", deps);
    return 0;
  }
  const { done, unreadable, position, complete } = await reencrypt(rotation, until, deps);
  await pause(rotation, position, unreadable, deps);
  if (complete) await reach(rotation, "finished", deps);
  return done;
}

async function pause(rotation: Rotation, position: string, unreadable: number, deps: Ready): Promise<void> {
  const { id, fingerprint } = rotation;
  await deps.stores.rotations.pause(id, position, unreadable);
  if (unreadable > 0) deps.log({ event: "rotation_unreadable", fingerprint, count: unreadable });
}

async function reach({ id, fingerprint }: Rotation, milestone: Milestone, deps: Ready): Promise<void> {
  if (await deps.stores.rotations.reach(id, milestone)) {
    deps.log({ event: "rotation_advanced", fingerprint, milestone });
  }
}
