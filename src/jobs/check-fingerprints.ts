import type { Log } from "../lib/log.ts";
import type { Stores } from "../store/index.ts";
import { present } from "../store/rotation-queries.ts";
import type { Keyring } from "../vault/keyring.ts";

export interface CheckDeps {
  readonly stores: Pick<Stores, "loadedKeys" | "mail">;
  readonly keyring: Keyring | undefined;
  readonly log: Log;
}

/**
 * Says which master keys this deployment has loaded, and looks for stored data that none of the deployments can open.
 * It reads the different lists of keys in use, of which there are few, not the data keys. Answers how many keys turned
 * up missing or came back.
 */
export async function checkFingerprints({ stores, keyring, log }: CheckDeps): Promise<number> {
  const { loadedKeys } = stores;
  if (keyring !== undefined) await loadedKeys.report(keyring.fingerprints, keyring.active.fingerprint);
  // Another deployment on the same database may have what this one lacks: in a rotation one has it before the other.
  const loaded = await loadedKeys.recent(present);
  const closed = (await loadedKeys.inUse()).filter((set) => !set.some((key) => loaded.has(key)));
  const missing = new Set(closed.flat().filter((key) => key !== ""));
  const known = await loadedKeys.orphans();

  for (const orphan of known) {
    if (missing.has(orphan.fingerprint)) log({ event: "master_key_orphaned", ...orphan });
  }
  const back = known.filter((orphan) => !missing.has(orphan.fingerprint));
  for (const { fingerprint } of back) {
    await loadedKeys.forgetOrphan(fingerprint);
    log({ event: "master_key_found", fingerprint });
  }

  let found = 0;
  const names = new Set(known.map((orphan) => orphan.fingerprint));
  for (const fingerprint of missing) {
    if (names.has(fingerprint)) continue;
    const sets = closed.filter((set) => set.includes(fingerprint));
    const orphan = await loadedKeys.recordOrphan(fingerprint, sets);
    // Another run was first: it says so.
    if (orphan === null) continue;
    found += 1;
    const { found_at: at, ...counts } = orphan;
    log({ event: "master_key_orphaned", ...counts });
    await stores.mail.enqueue({
      occasion: `master_key_missing/${fingerprint}/${at}`,
      kind: "master_key_missing",
      userId: null,
      connectionId: null,
      detail: { fingerprint },
    });
  }
  return found + back.length;
}
