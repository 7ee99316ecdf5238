import { databaseNow, type Id } from "./database.ts";

export interface BlobToCopy {
  readonly id: Id;
  readonly gen: number;
  readonly blob_fence: number;
  readonly blob: string;
}

/** The sealed blobs that rows carry until KV has them. */
export function createBlobCopies(db: D1Database) {
  return {
    async blobsToCopy(limit: number): Promise<readonly BlobToCopy[]> {
      const { results } = await db
        .prepare(
          `SELECT id, gen, blob_fence, blob FROM connections
           WHERE blob IS NOT NULL AND blob_copied_at IS NULL ORDER BY id LIMIT ?1`,
        )
        .bind(limit)
        .all<BlobToCopy>();
      return results;
    },

    /** One statement for all. A newer generation may have taken a row meanwhile: that one is not marked. */
    async markBlobsCopied(copied: readonly BlobToCopy[]): Promise<void> {
      const names = copied.map((row) => ({ id: row.id, gen: row.gen, blob_fence: row.blob_fence }));
      await db
        .prepare(
          `UPDATE connections SET blob_copied_at = ${databaseNow} FROM json_each(?1) AS copied
           WHERE connections.id = copied.value ->> 'id' AND gen = copied.value ->> 'gen'
             AND blob_fence = copied.value ->> 'blob_fence' AND blob IS NOT NULL`,
        )
        .bind(JSON.stringify(names))
        .run();
    },

    /** Readers far from the database have seen the KV copy once it is `age` ms old; the row's own can go. */
    async clearCopiedBlobs(age: number): Promise<number> {
      const result = await db
        .prepare(
          `UPDATE connections SET blob = NULL
           WHERE blob IS NOT NULL AND blob_copied_at <= ${databaseNow} - ?1`,
        )
        .bind(age)
        .run();
      return result.meta.changes;
    },
  };
}
