import { minute } from "../lib/clock.ts";
import type { Stores } from "../store/index.ts";

const batch = 200;
/** Simultaneous writes: the platform holds further ones back anyway. */
const atOnce = 6;
/** The row gives up its blob this long after the copy was written: KV answers everywhere by then. */
const settled = 1.5 * minute;

/**
 * Copies sealed blobs from rows to KV and, one run later, takes them out of the rows. It moves ciphertext and needs
 * no key. Writing the same immutable blob twice is harmless, so a run that was killed is simply run again.
 */
export async function copyBlobs(stores: Pick<Stores, "connections" | "blobs">): Promise<number> {
  const cleared = await stores.connections.clearCopiedBlobs(settled);
  const due = await stores.connections.blobsToCopy(batch);
  for (let at = 0; at < due.length; at += atOnce) {
    const group = due.slice(at, at + atOnce);
    await Promise.all(
      group.map((row) =>
        stores.blobs.put({ connectionId: row.id, generation: row.gen, fence: row.blob_fence }, row.blob),
      ),
    );
    await stores.connections.markBlobsCopied(group);
  }
  return cleared + due.length;
}
