import { databaseNow } from "./database.ts";

/** A set that nobody reported for this long is forgotten, ms. */
const forgottenAfter = 30 * 86_400_000;

export interface OrphanedKey {
  readonly fingerprint: string;
  readonly data_keys: number;
  readonly client_registrations: number;
}

export interface FoundOrphan extends OrphanedKey {
  /** When it was found, ms. */
  readonly found_at: number;
  /** ms since then. */
  readonly age: number;
}

/**
 * The different lists of master keys by which data keys are wrapped. Each step finds the next list by the index, so it
 * costs as much as there are lists, not data keys.
 */
const wrappedBy = `WITH RECURSIVE sets (wrapped_by) AS (
    SELECT MIN(wrapped_by) FROM data_keys
    UNION ALL
    SELECT (SELECT MIN(k.wrapped_by) FROM data_keys k WHERE k.wrapped_by > sets.wrapped_by) FROM sets
    WHERE sets.wrapped_by IS NOT NULL)
  SELECT wrapped_by FROM sets WHERE wrapped_by IS NOT NULL`;

export type LoadedKeys = ReturnType<typeof createLoadedKeys>;

/** Which master keys deployments have loaded, which ones stored data needs, and which of those nobody has. */
export function createLoadedKeys(db: D1Database) {
  return {
    /** Says that a deployment with these keys, the active one last, is there. */
    async report(fingerprints: readonly string[], active: string): Promise<void> {
      await db.batch([
        db
          .prepare(
            `INSERT INTO loaded_keys (fingerprints, active, first_at, last_at)
             VALUES (?1, ?2, ${databaseNow}, ${databaseNow})
             ON CONFLICT (fingerprints) DO UPDATE SET last_at = ${databaseNow}`,
          )
          .bind(fingerprints.join(","), active),
        db.prepare(`DELETE FROM loaded_keys WHERE last_at < ${databaseNow} - ${forgottenAfter}`),
      ]);
    },

    /** Every key that some deployment reported in the last `within` ms. */
    async recent(within: number): Promise<ReadonlySet<string>> {
      const { results } = await db
        .prepare(`SELECT fingerprints FROM loaded_keys WHERE last_at > ${databaseNow} - ?1`)
        .bind(within)
        .all<{ fingerprints: string }>();
      return new Set(results.flatMap((row) => row.fingerprints.split(",")));
    },

    /** Whether a set without this key was reported in the last `within` ms. */
    async lacking(fingerprint: string, within: number): Promise<boolean> {
      const row = await db
        .prepare(
          `SELECT 1 FROM loaded_keys WHERE last_at > ${databaseNow} - ?2
             AND instr(',' || fingerprints || ',', ',' || ?1 || ',') = 0 LIMIT 1`,
        )
        .bind(fingerprint, within)
        .first();
      return row !== null;
    },

    /** The different lists of fingerprints by which data keys are wrapped. */
    async inUse(): Promise<readonly (readonly string[])[]> {
      const { results } = await db.prepare(wrappedBy).all<{ wrapped_by: string }>();
      return results.map((row) => row.wrapped_by.split(","));
    },

    async orphans(): Promise<readonly FoundOrphan[]> {
      const { results } = await db
        .prepare(
          `SELECT fingerprint, data_keys, client_registrations, found_at, ${databaseNow} - found_at AS age
           FROM orphaned_keys WHERE fingerprint > ''`,
        )
        .all<FoundOrphan>();
      return results;
    },

    /**
     * Records a key that nobody has, with what it alone (in `sets`, lists as of `inUse`) would open. Null where it is
     * recorded already.
     */
    async recordOrphan(
      fingerprint: string,
      sets: readonly (readonly string[])[],
    ): Promise<FoundOrphan | null> {
      return await db
        .prepare(
          `INSERT INTO orphaned_keys (fingerprint, data_keys, client_registrations, found_at)
           SELECT ?1,
             (SELECT COUNT(*) FROM json_each(?2) AS copied CROSS JOIN data_keys k ON k.wrapped_by = copied.value),
             (SELECT COUNT(*) FROM data_keys k JOIN client_registrations r ON r.data_key_id = k.id
              WHERE k.owner = 'deployment' AND k.wrapped_by IN (SELECT copied.value FROM json_each(?2) AS copied)),
             ${databaseNow} WHERE true
           ON CONFLICT DO NOTHING RETURNING fingerprint, data_keys, client_registrations, found_at, 0 AS age`,
        )
        .bind(fingerprint, JSON.stringify(sets.map((set) => set.join(","))))
        .first<FoundOrphan>();
    },

    async forgetOrphan(fingerprint: string): Promise<void> {
      await db.prepare("DELETE FROM orphaned_keys WHERE fingerprint = ?1").bind(fingerprint).run();
    },
  };
}
