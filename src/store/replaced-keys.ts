import type { Audit } from "./audit.ts";
import { databaseNow } from "./database.ts";
import type { WrappedDataKey } from "./data-keys.ts";
import { silence } from "./rotation-queries.ts";

/** A data key that is older than the rotation, and the one that takes its place, if it was made already. */
export interface OldDataKey {
  readonly id: string;
  readonly owner: string;
  readonly rotation_id: number;
  /** In a wrapping that can be opened here; null: none can. */
  readonly wrapped: string | null;
  readonly next_id: string | null;
  /** Under the rotation's key. */
  readonly next_wrapped: string | null;
}

export interface NewDataKey extends WrappedDataKey {
  readonly owner: string;
}

/** Keyset of data keys: the rotation that made the last one, and its id. */
export interface KeyPosition {
  readonly rotation: number;
  readonly id: string;
}

/** Nothing is sealed under it any more, and for 15 minutes nobody could take it for something new. */
const isSpent = `k.rotation_id < ?2
    AND NOT EXISTS (SELECT 1 FROM connections x WHERE x.data_key_id = k.id)
    AND NOT EXISTS (SELECT 1 FROM flows x WHERE x.data_key_id = k.id)
    AND NOT EXISTS (SELECT 1 FROM client_registrations x WHERE x.data_key_id = k.id)
    AND EXISTS (SELECT 1 FROM data_keys n WHERE n.owner = k.owner AND n.rotation_id = ?2
      AND n.created_at <= ${databaseNow} - ${silence})`;

export type ReplacedKeys = ReturnType<typeof createReplacedKeys>;

/** The data keys that a rotation replaces, and those that take their place, many rows in each statement. */
export function createReplacedKeys(db: D1Database, audit: Pick<Audit, "queuedForEach">) {
  return {
    /** Data keys that the rotation replaces, after a position. */
    async oldKeys(
      rotation: { readonly id: number; readonly fingerprint: string },
      loaded: readonly string[],
      after: KeyPosition,
      limit: number,
    ): Promise<readonly OldDataKey[]> {
      const { results } = await db
        .prepare(
          `SELECT k.id, k.owner, k.rotation_id,
             (SELECT w.wrapped FROM data_key_wrappings w WHERE w.data_key_id = k.id
               AND w.fingerprint IN (${loaded.map((_, at) => `?${at + 6}`).join(", ")}) LIMIT 1) AS wrapped,
             n.id AS next_id, nw.wrapped AS next_wrapped
           FROM data_keys k
           LEFT JOIN data_keys n ON n.owner = k.owner AND n.rotation_id = ?1 AND n.rotation_id > 0
           LEFT JOIN data_key_wrappings nw ON nw.data_key_id = n.id AND nw.fingerprint = ?2
           WHERE k.rotation_id < ?1 AND (k.rotation_id, k.id) > (?3, ?4) ORDER BY k.rotation_id, k.id LIMIT ?5`,
        )
        .bind(rotation.id, rotation.fingerprint, after.rotation, after.id, limit, ...loaded)
        .all<OldDataKey>();
      return results;
    },

    /** Keeps new data keys under the rotation's key only, unless an owner got one meanwhile. The newest of its owner. */
    async insertKeys(
      rotation: { readonly id: number; readonly fingerprint: string },
      made: readonly NewDataKey[],
    ): Promise<void> {
      const json = JSON.stringify(made.map(({ id, owner, wrapped }) => ({ id, owner, wrapped })));
      await db.batch([
        db
          .prepare(
            `INSERT INTO data_keys (id, owner, created_at, rotation_id)
             SELECT copied.value ->> 'id', copied.value ->> 'owner', MAX(${databaseNow}, 1 + COALESCE(
               (SELECT MAX(k.created_at) FROM data_keys k WHERE k.owner = copied.value ->> 'owner'), 0)), ?2
             FROM json_each(?1) AS copied
             WHERE EXISTS (SELECT 1 FROM data_keys k WHERE k.owner = copied.value ->> 'owner')
             ON CONFLICT DO NOTHING`,
          )
          .bind(json, rotation.id),
        db
          .prepare(
            `INSERT INTO data_key_wrappings (data_key_id, fingerprint, wrapped, created_at)
             SELECT k.id, ?2, copied.value ->> 'wrapped', ${databaseNow}
             FROM json_each(?1) AS copied CROSS JOIN data_keys k ON k.id = copied.value ->> 'id'`,
          )
          .bind(json, rotation.fingerprint),
      ]);
    },

    /** Deletes those of these data keys that are spent, with an audit event for each workspace. Answers how many. */
    async deleteSpent(rotation: number, keys: readonly string[], fingerprint: string): Promise<number> {
      const json = JSON.stringify(keys);
      const [, deleted] = await db.batch([
        audit.queuedForEach(
          { type: "data_key_replaced", actor: "system", detail: { fingerprint } },
          `SELECT DISTINCT s.id FROM json_each(?1) AS copied CROSS JOIN data_keys k ON k.id = copied.value
           CROSS JOIN workspaces s ON s.id = k.owner WHERE ${isSpent}`,
          [json, rotation],
        ),
        db
          .prepare(
            `DELETE FROM data_keys AS k WHERE k.id IN (SELECT copied.value FROM json_each(?1) AS copied) AND ${isSpent}`,
          )
          .bind(json, rotation),
      ]);
      return deleted?.meta.changes ?? 0;
    },

    /** Whether the rotation still has a data key to replace. */
    async isLeft(rotation: number): Promise<boolean> {
      const row = await db
        .prepare("SELECT 1 FROM data_keys WHERE rotation_id < ?1 LIMIT 1")
        .bind(rotation)
        .first();
      return row !== null;
    },
  };
}
