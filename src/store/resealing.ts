import { databaseNow } from "./database.ts";
import { grantColumns, journalDelay, supersededFor, type GrantState } from "./grant-row.ts";

/** A connection whose grant is sealed under an old data key, as it is now. */
export interface SealedUnder extends GrantState {
  readonly data_key_id: string;
}

/** The grant of a connection sealed again, and exactly what it was made from. */
export interface Resealed {
  readonly seen: SealedUnder;
  readonly nextKey: string;
  readonly blob: string;
}

export interface SealedRegistration {
  readonly id: string;
  readonly data_key_id: string;
  readonly sealed: string;
}

/**
 * Where nobody is at the grant: no lease is held, and no writer of a request that ended without an answer can still be
 * about to bring what came of it. So a seal that takes the row from this state to the next generation, in one
 * statement, is acquire and commit at once.
 */
const nobodyIsAtIt = `(c.state = 'live' OR (c.state = 'leased' AND c.sent_at = 0 AND c.lease_until <= ${databaseNow})
    OR (c.state IN ('leased', 'sent', 'reauth') AND c.lease_until + ${journalDelay} <= ${databaseNow}))`;

/** Of what is disconnected, only a grant that is still to be revoked is kept. */
const isKept = `(c.status != 'disconnected' OR (c.revocation = 'pending' AND c.purging_at IS NULL))`;

/** The row is as the new seal took it for. */
const isAsSeen = `c.gen = copied.value ->> 'gen' AND c.fence = copied.value ->> 'fence'
    AND c.state = copied.value ->> 'state' AND c.status = copied.value ->> 'status'
    AND c.data_key_id = copied.value ->> 'data_key_id' AND c.lookup = copied.value ->> 'lookup'
    AND ${nobodyIsAtIt} AND ${isKept}`;

export type Resealing = ReturnType<typeof createResealing>;

/** Moves what is sealed under one data key to another, many rows in each statement. */
export function createResealing(db: D1Database) {
  return {
    /** Connections with a grant under one of these data keys, after a position. */
    async sealedUnder(
      keys: readonly string[],
      after: { readonly dataKey: string; readonly id: string },
      limit: number,
    ): Promise<readonly SealedUnder[]> {
      const { results } = await db
        .prepare(
          `SELECT ${grantColumns} FROM connections c
           WHERE c.data_key_id IN (SELECT copied.value FROM json_each(?1) AS copied)
             AND (c.data_key_id, c.id) > (?2, ?3) AND ${isKept}
           ORDER BY c.data_key_id, c.id LIMIT ?4`,
        )
        .bind(JSON.stringify(keys), after.dataKey, after.id, limit)
        .all<SealedUnder>();
      return results;
    },

    /**
     * Puts grants under their owners' new data keys: each becomes the next generation if its row is still what the
     * seal was made from. Answers how many did.
     */
    async commit(resealed: readonly Resealed[]): Promise<number> {
      const json = JSON.stringify(
        resealed.map(({ seen, nextKey, blob }) => ({
          id: seen.id,
          gen: seen.gen,
          fence: seen.fence,
          state: seen.state,
          status: seen.status,
          data_key_id: seen.data_key_id,
          lookup: seen.lookup,
          next_key: nextKey,
          blob,
        })),
      );
      const [, committed] = await db.batch([
        db
          .prepare(
            `INSERT INTO superseded_blobs (name, delete_after)
             SELECT 't/' || c.id || '/' || c.gen || '/' || c.blob_fence, ${databaseNow} + ${supersededFor}
             FROM json_each(?1) AS copied CROSS JOIN connections c ON c.id = copied.value ->> 'id'
             WHERE ${isAsSeen}
             ON CONFLICT (name) DO UPDATE SET delete_after = excluded.delete_after`,
          )
          .bind(json),
        db
          .prepare(
            `UPDATE connections AS c SET gen = gen + 1, fence = fence + 1, blob_fence = fence + 1,
               blob = copied.value ->> 'blob', blob_copied_at = NULL, data_key_id = copied.value ->> 'next_key',
               state = CASE WHEN state != 'leased' THEN state WHEN sent_at = 0 THEN 'live' ELSE 'sent' END
             FROM json_each(?1) AS copied WHERE c.id = copied.value ->> 'id' AND ${isAsSeen}`,
          )
          .bind(json),
      ]);
      return committed?.meta.changes ?? 0;
    },

    /** Disconnected connections that keep no grant need no data key either. Answers how many. */
    async releaseEmpty(keys: readonly string[]): Promise<number> {
      const { meta } = await db
        .prepare(
          `UPDATE connections AS c SET data_key_id = NULL
           WHERE c.data_key_id IN (SELECT copied.value FROM json_each(?1) AS copied) AND NOT ${isKept}`,
        )
        .bind(JSON.stringify(keys))
        .run();
      return meta.changes;
    },

    async registrationsUnder(
      keys: readonly string[],
      after: string,
      limit: number,
    ): Promise<readonly SealedRegistration[]> {
      const { results } = await db
        .prepare(
          `SELECT id, data_key_id, sealed FROM client_registrations
           WHERE data_key_id IN (SELECT copied.value FROM json_each(?1) AS copied) AND id > ?2 ORDER BY id LIMIT ?3`,
        )
        .bind(JSON.stringify(keys), after, limit)
        .all<SealedRegistration>();
      return results;
    },

    async commitRegistrations(nextKey: string, resealed: readonly SealedRegistration[]): Promise<number> {
      const { meta } = await db
        .prepare(
          `UPDATE client_registrations AS r SET data_key_id = ?2, sealed = copied.value ->> 'sealed'
           FROM json_each(?1) AS copied
           WHERE r.id = copied.value ->> 'id' AND r.data_key_id = copied.value ->> 'data_key_id'`,
        )
        .bind(JSON.stringify(resealed), nextKey)
        .run();
      return meta.changes;
    },
  };
}
