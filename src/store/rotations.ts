import type { Audit } from "./audit.ts";
import { databaseNow } from "./database.ts";
import type { WrappedDataKey } from "./data-keys.ts";

/** An operator's wish that `fingerprint` takes over. How its statements look from outside: rotation-queries.ts. */
export interface Rotation {
  readonly id: number;
  readonly fingerprint: string;
  readonly reencrypt: number;
  readonly requested_at: number;
  readonly rewrapped_at: number | null;
  readonly settled_at: number | null;
  /** Where the job goes on; empty: at the beginning. */
  readonly position: string;
  readonly now: number;
}

/** `rewrapped`: every data key that opens is wrapped under the target. `settled`: and no deployment lacks it. */
export type Milestone = "rewrapped" | "settled" | "finished";

/** A data key that lacks a wrapping, in one that can be opened here. */
export interface Unwrapped extends WrappedDataKey {
  readonly owner: string;
}

const columns = `id, fingerprint, reencrypt, requested_at, rewrapped_at, settled_at, position, ${databaseNow} AS now`;

export type Rotations = ReturnType<typeof createRotations>;

export function createRotations(db: D1Database, audit: Pick<Audit, "queuedForEach">) {
  return {
    /** The newest rotation, if it is not finished. Earlier ones are overtaken by it. */
    async open(): Promise<Rotation | null> {
      return await db
        .prepare(
          `SELECT ${columns} FROM rotations
           WHERE id = (SELECT MAX(id) FROM rotations) AND finished_at IS NULL`,
        )
        .first<Rotation>();
    },

    /**
     * Ends the earlier rotations. What one of them was to re-encrypt is this one's to do: its data keys are older than
     * this one too.
     */
    async overtake(id: number): Promise<void> {
      await db.batch([
        db
          .prepare(
            `UPDATE rotations SET reencrypt = 1 WHERE id = ?1 AND reencrypt = 0 AND EXISTS (
               SELECT 1 FROM rotations WHERE id < ?1 AND finished_at IS NULL AND reencrypt = 1)`,
          )
          .bind(id),
        db
          .prepare(`UPDATE rotations SET finished_at = ${databaseNow} WHERE id < ?1 AND finished_at IS NULL`)
          .bind(id),
      ]);
    },

    /** Records a milestone once; the job begins at the beginning again. */
    async reach(id: number, milestone: Milestone): Promise<boolean> {
      const row = await db
        .prepare(
          `UPDATE rotations SET ${milestone}_at = ${databaseNow}, position = ''
           WHERE id = ?1 AND ${milestone}_at IS NULL RETURNING id`,
        )
        .bind(id)
        .first();
      return row !== null;
    },

    /** Keeps where the job was, and how much it could not open. */
    async pause(id: number, position: string, unreadable: number): Promise<void> {
      await db
        .prepare("UPDATE rotations SET position = ?2, unreadable = ?3 WHERE id = ?1")
        .bind(id, position, unreadable)
        .run();
    },

    /** Data keys that are wrapped by exactly `set` (a list as of `loadedKeys.inUse`), by id, after `after`. */
    async wrappedBy(
      set: readonly string[],
      loaded: readonly string[],
      after: string,
      limit: number,
    ): Promise<readonly Unwrapped[]> {
      const { results } = await db
        .prepare(
          `SELECT k.id, k.owner, (SELECT w.wrapped FROM data_key_wrappings w WHERE w.data_key_id = k.id
               AND w.fingerprint IN (${loaded.map((_, at) => `?${at + 4}`).join(", ")}) LIMIT 1) AS wrapped
           FROM data_keys k WHERE k.wrapped_by = ?1 AND k.id > ?2 ORDER BY k.id LIMIT ?3`,
        )
        .bind(set.join(","), after, limit, ...loaded)
        .all<Unwrapped>();
      return results;
    },

    /**
     * Adds wrappings under one key, however many, in two statements, and leaves an audit event for each workspace. Where
     * another worker was first, its wrapping stays and its event tells of it.
     */
    async addWrappings(fingerprint: string, added: readonly WrappedDataKey[]): Promise<void> {
      const json = JSON.stringify(added.map(({ id, wrapped }) => ({ id, wrapped })));
      await db.batch([
        db
          .prepare(
            `INSERT INTO data_key_wrappings (data_key_id, fingerprint, wrapped, created_at)
             SELECT k.id, ?2, copied.value ->> 'wrapped', ${databaseNow}
             FROM json_each(?1) AS copied CROSS JOIN data_keys k ON k.id = copied.value ->> 'id' WHERE true
             ON CONFLICT DO NOTHING`,
          )
          .bind(json, fingerprint),
        audit.queuedForEach(
          { type: "master_key_rotated", actor: "system", detail: { fingerprint } },
          `SELECT DISTINCT s.id FROM json_each(?1) AS copied
           CROSS JOIN data_key_wrappings w ON w.data_key_id = copied.value ->> 'id' AND w.fingerprint = ?2
             AND w.wrapped = copied.value ->> 'wrapped'
           CROSS JOIN data_keys k ON k.id = w.data_key_id CROSS JOIN workspaces s ON s.id = k.owner`,
          [json, fingerprint],
        ),
      ]);
    },
  };
}
