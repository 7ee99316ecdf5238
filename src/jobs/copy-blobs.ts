import { minute } from "../lib/clock.ts";
import type { BlobToCopy } from "../store/blob-copies.ts";
import type { Stores } from "../store/index.ts";

/** Blobs of one run, for each unit of its budget and at most: the platform counts the writes. */
const share = 50;
const most = 400;
/** Simultaneous writes: the platform holds further ones back anyway. */
const atOnce = 6;
/** The row gives up its blob this long after the copy was written: KV answers everywhere by then. */
const settled = 1.5 * minute;

export interface CopyDeps {
  readonly stores: Pick<Stores, "connections" | "blobs">;
  readonly backgroundBudget: number;
}

/**
 * Copies sealed blobs from rows to KV and, one run later, takes them out of the rows. It moves ciphertext and needs
 * no key. Writing the same immutable blob twice is harmless, so a run that was killed is simply run again.
 */
export async function copyBlobs({ stores, backgroundBudget }: CopyDeps): Promise<number> {
  const cleared = await stores.connections.clearCopiedBlobs(settled);
  const due = await stores.connections.blobsToCopy(Math.min(share * backgroundBudget, most));
  const copied: BlobToCopy[] = [];
  let failure: PromiseRejectedResult | undefined;
  for (let at = 0; at < due.length && failure === undefined; at += atOnce) {
    const group = due.slice(at, at + atOnce);
    const results = await Promise.allSettled(
      group.map(async (row) => {
        await stores.blobs.put(
          { connectionId: row.id, generation: row.gen, fence: row.blob_fence },
          row.blob,
        );
        copied.push(row);
      }),
    );
    failure = results.find((result) => result.status === "rejected");
  }
  // Once for all, and before anything is thrown: what was written is not to be written again.
  if (copied.length > 0) await stores.connections.markBlobsCopied(copied);
  if (failure !== undefined) throw failure.reason;
  return cleared + copied.length;
}
