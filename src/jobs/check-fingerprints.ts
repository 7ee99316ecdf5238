import { day } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { Stores } from "../store/index.ts";
import type { FoundOrphan } from "../store/loaded-keys.ts";
import type { NewMail } from "../store/mail.ts";
import { present } from "../store/rotation-queries.ts";
import type { Keyring } from "../vault/keyring.ts";

/** How long it is made sure that there is a mail of a missing key, ms: shorter than mail that was sent is kept. */
const mailWithin = day;

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
  const { loadedKeys, mail } = stores;
  if (keyring !== undefined) await loadedKeys.report(keyring.fingerprints, keyring.active.fingerprint);
  // Another deployment on the same database may have what this one lacks: in a rotation one has it before the other.
  const loaded = await loadedKeys.recent(present);
  const closed = (await loadedKeys.inUse()).filter((set) => !set.some((key) => loaded.has(key)));
  const missing = new Set(closed.flat().filter((key) => key !== ""));
  const known = await loadedKeys.orphans();

  for (const orphan of known) {
    if (!missing.has(orphan.fingerprint)) continue;
    say(orphan, log);
    // Whoever found it may have died before the mail was queued; one that has been is not queued again.
    if (orphan.age < mailWithin) await mail.enqueue(mailOf(orphan));
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
    say(orphan, log);
    await mail.enqueue(mailOf(orphan));
  }
  return found + back.length;
}

function say({ fingerprint, data_keys, client_registrations }: FoundOrphan, log: Log): void {
  log({ event: "master_key_orphaned", fingerprint, data_keys, client_registrations });
}

/** One for each time that it was found missing. */
function mailOf({ fingerprint, found_at }: FoundOrphan): NewMail {
  return {
    occasion: `master_key_missing/${fingerprint}/${found_at}`,
    kind: "master_key_missing",
    userId: null,
    connectionId: null,
    detail: { fingerprint },
  };
}
