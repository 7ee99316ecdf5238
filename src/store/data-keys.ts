import { databaseNow } from "./database.ts";

export interface WrappedDataKey {
  readonly id: string;
  readonly wrapped: string;
}

/** One data key under one master key. */
export interface Wrapping {
  readonly fingerprint: string;
  readonly wrapped: string;
}

export type DataKeys = ReturnType<typeof createDataKeys>;

export function createDataKeys(db: D1Database) {
  return {
    /** The owner's newest data key, in the wrapping of the first loaded master key that has one. */
    async newest(owner: string, fingerprints: readonly string[]): Promise<WrappedDataKey | null> {
      return await db
        .prepare(
          `SELECT k.id, w.wrapped FROM data_keys k JOIN data_key_wrappings w ON w.data_key_id = k.id
           WHERE k.owner = ?1 AND w.fingerprint IN (${fingerprints.map((_, at) => `?${at + 2}`).join(", ")})
           ORDER BY k.created_at DESC, k.id LIMIT 1`,
        )
        .bind(owner, ...fingerprints)
        .first<WrappedDataKey>();
    },

    /** One data key, in a wrapping that can be opened here. */
    async get(id: string, fingerprints: readonly string[]): Promise<WrappedDataKey | null> {
      return await db
        .prepare(
          `SELECT data_key_id AS id, wrapped FROM data_key_wrappings
           WHERE data_key_id = ?1 AND fingerprint IN (${fingerprints.map((_, at) => `?${at + 2}`).join(", ")}) LIMIT 1`,
        )
        .bind(id, ...fingerprints)
        .first<WrappedDataKey>();
    },

    /**
     * The rotation that replaces data keys just now, or the last that did: what is made while `fingerprint` is active
     * belongs under that key only, because the others may be in somebody else's hands. 0 where there is none.
     */
    async replacing(fingerprint: string): Promise<number> {
      const id = await db
        .prepare(
          `SELECT id FROM rotations WHERE id = (SELECT MAX(id) FROM rotations) AND fingerprint = ?1 AND reencrypt = 1
             AND settled_at IS NOT NULL`,
        )
        .bind(fingerprint)
        .first<number>("id");
      return id ?? 0;
    },

    /** Keeps a new data key and its wrappings together, unless the owner got one meanwhile, or is being deleted. */
    async insertFirst(
      owner: string,
      id: string,
      wrappings: readonly Wrapping[],
      rotation: number,
    ): Promise<void> {
      await db.batch([
        db
          .prepare(
            `INSERT INTO data_keys (id, owner, created_at, rotation_id) SELECT ?1, ?2, ${databaseNow}, ?3
             WHERE NOT EXISTS (SELECT 1 FROM data_keys WHERE owner = ?2)
               AND (?2 NOT GLOB 'wsp_*' OR EXISTS (SELECT 1 FROM workspaces WHERE id = ?2 AND erasing_at IS NULL))`,
          )
          .bind(id, owner, rotation),
        db
          .prepare(
            `INSERT INTO data_key_wrappings (data_key_id, fingerprint, wrapped, created_at)
             SELECT ?1, copied.value ->> 'fingerprint', copied.value ->> 'wrapped', ${databaseNow}
             FROM json_each(?2) AS copied WHERE EXISTS (SELECT 1 FROM data_keys WHERE id = ?1)`,
          )
          .bind(id, JSON.stringify(wrappings)),
      ]);
    },
  };
}
