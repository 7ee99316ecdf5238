import { toBase64Url, toHex } from "../lib/bytes.ts";
import { readCurrentBlob } from "./current-blob.ts";
import { openOwnUnder, sealOwnUnder } from "./deployment-seal.ts";
import { openGrant, sealGrant, type GrantKey } from "./grant.ts";
import { bindingOf } from "./grant-key.ts";
import { adoptionWait, adoptJournal } from "./adopt.ts";
import { readable, type KeyDeps } from "./rewrap.ts";
import { Fault } from "../lib/fault.ts";
import type { Log } from "../lib/log.ts";
import type { Stores } from "../store/index.ts";
import type { NewDataKey } from "../store/replaced-keys.ts";
import type { Resealed, SealedRegistration, SealedUnder } from "../store/resealing.ts";
import { createDataKey, wrapDataKey } from "../vault/data-key.ts";

export interface ReencryptDeps extends KeyDeps {
  readonly stores: Pick<Stores, "grants" | "blobs" | "dataKeys">;
  readonly log: Log;
}

/** The keys of one owner: what seals now, and what is to seal. */
export interface KeyChange {
  readonly from: GrantKey;
  readonly to: GrantKey;
}

/**
 * What can be done with a grant now. `later`: somebody is at it, or its blob is on its way. `unreadable`: it does not
 * open with the key that its row names, today or ever.
 */
export type Attempt = Resealed | "later" | "unreadable";

/** A new data key for each owner, wrapped under the active master key and no other. */
export async function newDataKeys(
  owners: readonly string[],
  { keyring, environment, random }: KeyDeps,
): Promise<readonly NewDataKey[]> {
  return await Promise.all(
    owners.map(async (owner) => {
      const fresh = await createDataKey(random);
      const wrapped = await wrapDataKey(fresh, owner, keyring.active, environment, random);
      return { id: toHex(fresh.id), owner, wrapped: toBase64Url(wrapped) };
    }),
  );
}

/** Opens a grant and seals it for the next generation under the owner's new data key. Nothing is written. */
export async function resealGrant(
  seen: SealedUnder,
  change: KeyChange,
  deps: ReencryptDeps,
): Promise<Attempt> {
  if (!(await isFree(seen, deps))) return "later";
  const sealed = await blobOf(seen, deps);
  if (sealed === undefined) return "later";
  const binding = bindingOf(seen);
  const grant = await readable(openGrant(sealed, change.from, binding, deps.environment));
  if (grant === undefined) return "unreadable";
  const next = { ...binding, generation: seen.gen + 1 };
  const blob = await sealGrant(grant, change.to, next, deps.environment, deps.random);
  return { seen, nextKey: toHex(change.to.kid), blob };
}

/**
 * Whether nobody is at the grant. Where a token request ended without an answer, its journal comes first: it is sealed
 * for this generation under this data key, and after the next one nobody would look for it.
 */
async function isFree(seen: SealedUnder, deps: ReencryptDeps): Promise<boolean> {
  if (seen.state === "live") return true;
  if (seen.state === "leased" && seen.sent_at === 0) return seen.lease_until <= seen.now;
  if (adoptionWait(seen) > 0) return false;
  // A journal of a disconnected grant is for its revocation, which looks for it.
  if (seen.status === "disconnected") return false;
  return (await adoptJournal(seen, deps.stores, "schedule")) === "none";
}

async function blobOf(seen: SealedUnder, deps: ReencryptDeps): Promise<string | undefined> {
  try {
    return await readCurrentBlob(seen, deps.stores.blobs, deps.log);
  } catch (error) {
    if (error instanceof Fault && error.code === "grant_delayed") return undefined;
    throw error;
  }
}

/** Client registrations sealed again under the deployment's new data key. Those that do not open are left out. */
export async function resealRegistrations(
  rows: readonly SealedRegistration[],
  changes: ReadonlyMap<string, KeyChange>,
  deps: KeyDeps,
): Promise<readonly SealedRegistration[]> {
  const resealed: SealedRegistration[] = [];
  for (const row of rows) {
    const change = changes.get(row.data_key_id);
    if (change === undefined) continue;
    const { environment } = deps;
    const secret = await readable(
      openOwnUnder(change.from, row.id, "client-secret", row.sealed, environment),
    );
    if (secret === undefined) continue;
    resealed.push({ ...row, sealed: await sealOwnUnder(change.to, row.id, "client-secret", secret, deps) });
  }
  return resealed;
}
