import { day } from "../lib/clock.ts";
import { errorKind, type Log } from "../lib/log.ts";
import type { Stores } from "../store/index.ts";

/** Simultaneous deletions: the platform holds further ones back anyway. */
const atOnce = 6;
/** Replaced blobs of one run, for each unit of its budget, and how many go before their rows do too. */
const supersededShare = 6;
const supersededGroup = 30;
const mailKept = 90 * day;
const mailBatch = 1000;

export interface PurgeDeps {
  readonly stores: Pick<Stores, "blobs" | "purge" | "mail">;
  readonly log: Log;
  /** What one run may do; the platform counts the queries of each. */
  readonly backgroundBudget: number;
}

type PurgeStores = Pick<PurgeDeps["stores"], "blobs" | "purge">;

/**
 * Deletes replaced blobs an hour after they were: a reader was half-way then. KV first, the row after, so that a run
 * that dies leaves a row to be found again and never a blob that nothing names.
 */
export async function purgeSuperseded({
  stores: { blobs, purge },
  backgroundBudget,
}: PurgeDeps): Promise<number> {
  const due = await purge.superseded(supersededShare * backgroundBudget);
  for (let at = 0; at < due.length; at += supersededGroup) {
    const group = due.slice(at, at + supersededGroup);
    await deleteKeys(
      group.filter(({ current }) => current === 0).map(({ name }) => name),
      blobs,
    );
    await purge.forgetSuperseded(group);
  }
  return due.length;
}

/**
 * Deletes connections that were disconnected 30 days ago, with everything that was kept of them. Each is marked, then
 * its keys in KV go, then its row: a run that dies anywhere leaves the marked row, and the next begins there.
 */
export async function purgeConnections({ stores, log, backgroundBudget }: PurgeDeps): Promise<number> {
  let purged = 0;
  for (const id of await stores.purge.expired(backgroundBudget)) {
    try {
      if (await purgeConnection(id, stores)) purged += 1;
    } catch (error) {
      // One that cannot be deleted must not keep the others.
      log({ event: "purge_failed", connection: id, error: errorKind(error) });
    }
  }
  return purged;
}

async function purgeConnection(id: string, { blobs, purge }: PurgeStores): Promise<boolean> {
  const connection = await purge.begin(id);
  if (connection === null) return false;
  // What is listed may lack what was written lately; what the database names is deleted whether it is listed or not.
  await blobs.delete({ connectionId: id, generation: connection.gen, fence: connection.blob_fence });
  await deleteKeys([...new Set([...(await purge.supersededOf(id)), ...(await blobs.keysOf(id))])], blobs);
  await purge.finish(connection);
  return true;
}

async function deleteKeys(keys: readonly string[], blobs: Stores["blobs"]): Promise<void> {
  for (let at = 0; at < keys.length; at += atOnce) {
    await Promise.all(keys.slice(at, at + atOnce).map((key) => blobs.deleteKey(key)));
  }
}

/** Forgets mail that ended 90 days ago. */
export async function purgeMail({ stores: { mail } }: PurgeDeps): Promise<number> {
  let deleted = 0;
  for (;;) {
    const some = await mail.deleteEnded(mailKept, mailBatch);
    deleted += some;
    if (some < mailBatch) return deleted;
  }
}
