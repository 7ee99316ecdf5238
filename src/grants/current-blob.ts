import { Fault } from "../lib/fault.ts";
import type { Log } from "../lib/log.ts";
import type { AdmissionRow } from "../store/admission.ts";
import type { Blobs } from "../store/blobs.ts";

/** Waits between looks at KV for a blob that D1 names, ms. The copy is written within seconds of the commit. */
const waits = [0, 100, 400] as const;

/**
 * The sealed blob that D1 calls current: from the row in the first minutes, then from KV. One that KV does not show
 * is a delay, never "unknown": the grant exists.
 */
export async function readCurrentBlob(
  row: Pick<AdmissionRow, "id" | "gen" | "blob" | "blob_fence">,
  blobs: Blobs,
  log: Log,
): Promise<string> {
  if (row.blob !== null) return row.blob;
  const name = { connectionId: row.id, generation: row.gen, fence: row.blob_fence };
  for (const wait of waits) {
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    const sealed = await blobs.get(name);
    if (sealed !== null) return sealed;
  }
  log({ event: "blob_missing", connection: row.id, generation: row.gen });
  throw new Fault("grant_delayed", { retryAfter: 5 });
}
