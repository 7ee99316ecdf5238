import type { Audit } from "./audit.ts";
import { databaseNow, type Id } from "./database.ts";

/** How long a disconnected connection can be taken back, ms. */
const disconnectedFor = 30 * 86_400_000;

export interface Superseded {
  /** The KV key. */
  readonly name: string;
  /** 1 where a row names it after all: it only leaves the list. */
  readonly current: number;
  readonly delete_after: number;
}

/** A connection whose deletion has begun. */
export interface Purged {
  readonly id: Id;
  readonly workspace_id: Id;
  readonly service: string;
  readonly gen: number;
  readonly blob_fence: number;
}

export type Purge = ReturnType<typeof createPurge>;

/** What ends by itself. Each step may be the last that a process does: the next run finds the rest. */
export function createPurge(db: D1Database, audit: Pick<Audit, "queued">) {
  return {
    /** Replaced blobs whose time has come. A name that is not current any more never becomes it again. */
    async superseded(limit: number): Promise<readonly Superseded[]> {
      const { results } = await db
        .prepare(
          `SELECT s.name, s.delete_after, c.id IS NOT NULL AS current FROM superseded_blobs s LEFT JOIN connections c
             ON c.id = substr(s.name, 3, instr(substr(s.name, 3), '/') - 1)
               AND s.name = 't/' || c.id || '/' || c.gen || '/' || c.blob_fence
           WHERE s.delete_after <= ${databaseNow} ORDER BY s.delete_after, s.name LIMIT ?1`,
        )
        .bind(limit)
        .all<Superseded>();
      return results;
    },

    /** Takes names off the list, as they were read: one whose time was moved since waits for that. */
    async forgetSuperseded(blobs: readonly Pick<Superseded, "name" | "delete_after">[]): Promise<void> {
      await db
        .prepare(
          `DELETE FROM superseded_blobs WHERE (name, delete_after) IN
             (SELECT value ->> 'name', value ->> 'delete_after' FROM json_each(?1))`,
        )
        .bind(JSON.stringify(blobs.map(({ name, delete_after }) => ({ name, delete_after }))))
        .run();
    },

    /**
     * Connections that were disconnected too long ago to be taken back: those first that have waited longest, since
     * then or since the last try, so that some that cannot be deleted keep no others.
     */
    async expired(limit: number): Promise<readonly Id[]> {
      const { results } = await db
        .prepare(
          `SELECT id FROM connections
           WHERE disconnected_at IS NOT NULL AND disconnected_at <= ${databaseNow} - ${disconnectedFor}
           ORDER BY COALESCE(purging_at, disconnected_at + ${disconnectedFor}), id LIMIT ?1`,
        )
        .bind(limit)
        .all<{ id: Id }>();
      return results.map((row) => row.id);
    },

    /**
     * Begins to delete a connection: from here on no sign-in takes it back, also none that had a lease, so that what
     * is deleted in KV is nobody's current grant. Null where it came back in time.
     */
    async begin(id: Id): Promise<Purged | null> {
      return await db
        .prepare(
          `UPDATE connections SET purging_at = ${databaseNow}, fence = fence + 1
           WHERE id = ?1 AND disconnected_at <= ${databaseNow} - ${disconnectedFor}
           RETURNING id, workspace_id, service, gen, blob_fence`,
        )
        .bind(id)
        .first<Purged>();
    },

    /** KV names of the connection that were to be deleted later. */
    async supersededOf(id: Id): Promise<readonly string[]> {
      const { results } = await db
        .prepare("SELECT name FROM superseded_blobs WHERE name >= ?1 AND name < ?2")
        .bind(...rangeOf(id))
        .all<{ name: string }>();
      return results.map((row) => row.name);
    },

    /** The row and what belongs to it, with the event of it, once KV holds nothing any more. */
    async finish(connection: Purged): Promise<void> {
      await db.batch([
        db
          .prepare("DELETE FROM superseded_blobs WHERE name >= ?1 AND name < ?2")
          .bind(...rangeOf(connection.id)),
        db.prepare("DELETE FROM mail_queue WHERE connection_id = ?1").bind(connection.id),
        db.prepare("DELETE FROM connections WHERE id = ?1 AND purging_at IS NOT NULL").bind(connection.id),
        audit.queued(
          connection.workspace_id,
          {
            type: "connection_purged",
            actor: "system",
            connection: connection.id,
            service: connection.service,
          },
          true,
        ),
      ]);
    },
  };
}

/** Every name below `t/<id>/`: "0" is the character after "/". */
function rangeOf(id: Id): [string, string] {
  return [`t/${id}/`, `t/${id}0`];
}
