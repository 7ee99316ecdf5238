import { z } from "zod";
import { fingerprintOfKey } from "../../../scripts/lib/master-key.ts";
import type { Account, Database, Worker } from "./cloudflare-double/account.ts";

const keysSchema = z.array(z.object({ key: z.string() }));
const now = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

export function onlyDatabase({ databases }: Account): Database {
  const [database, ...others] = databases.values();
  if (database === undefined || others.length > 0) throw new Error("there is not one database");
  return database;
}

export function onlyWorker({ workers }: Account): Worker {
  const [worker, ...others] = workers.values();
  if (worker === undefined || others.length > 0) throw new Error("there is not one worker");
  return worker;
}

/**
 * What the deployed worker would write for an operator's script: which keys it has, as of now; what other deployments
 * said is 20 minutes old; and a rotation to its active key is finished.
 */
export function minuteJob(account: Account): void {
  const text = onlyWorker(account).secrets.get("MANAGED_ENCRYPTION_KEYS");
  if (text === undefined) return;
  const fingerprints = keysSchema.parse(JSON.parse(text)).map(({ key }) => fingerprintOfKey(key));
  const [set, active] = [fingerprints.join(","), fingerprints.at(-1) ?? ""];
  onlyDatabase(account).rows.exec(`
    UPDATE loaded_keys SET last_at = ${now} - 1200000 WHERE fingerprints != '${set}';
    INSERT INTO loaded_keys (fingerprints, active, first_at, last_at) VALUES ('${set}', '${active}', ${now}, ${now})
    ON CONFLICT (fingerprints) DO UPDATE SET last_at = ${now};
    UPDATE rotations SET rewrapped_at = ${now}, settled_at = ${now}, finished_at = ${now}
    WHERE finished_at IS NULL AND fingerprint = '${active}';`);
}
