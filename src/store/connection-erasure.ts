import type { AuditActor } from "../lib/audit-event.ts";
import type { Audit } from "./audit.ts";
import { publicColumns, type Connection } from "./connection.ts";
import { databaseNow, type Id } from "./database.ts";

/** KV lists what was written within this time at the latest, and no writer of a token lives longer. ms. */
const sweepAfter = 600_000;

/** Deleting one connection for good, by itself or with its account. */
export function createConnectionErasure(db: D1Database, audit: Pick<Audit, "record">) {
  /** The row and all that hangs on it. Its KV names are swept: the id is kept, bare, until they are. */
  const deletion = (workspaceId: Id, id: Id): readonly D1PreparedStatement[] => [
    db
      .prepare(
        `INSERT INTO erased_connections (id, sweep_at) SELECT id, ${databaseNow} + ${sweepAfter} FROM connections
         WHERE id = ?1 AND workspace_id = ?2 ON CONFLICT DO NOTHING`,
      )
      .bind(id, workspaceId),
    db.prepare("DELETE FROM superseded_blobs WHERE name >= ?1 AND name < ?2").bind(`t/${id}/`, `t/${id}0`),
    db
      .prepare(
        `DELETE FROM mail_queue WHERE connection_id = ?1
           AND EXISTS (SELECT 1 FROM connections WHERE id = ?1 AND workspace_id = ?2)`,
      )
      .bind(id, workspaceId),
    db.prepare("DELETE FROM connections WHERE id = ?1 AND workspace_id = ?2").bind(id, workspaceId),
  ];

  return {
    /**
     * Begins to delete one disconnected connection: from here on no sign-in takes it back, also none that had a lease.
     * Null where it is not disconnected any more.
     */
    async beginPurge(workspaceId: Id, id: Id): Promise<Connection | null> {
      return await db
        .prepare(
          `UPDATE connections SET purging_at = ${databaseNow}, fence = fence + 1
           WHERE id = ?1 AND workspace_id = ?2 AND status = 'disconnected' RETURNING ${publicColumns}`,
        )
        .bind(id, workspaceId)
        .first<Connection>();
    },

    /** Deletes one connection whose deletion has begun, with its event. */
    async purgeConnection(
      workspaceId: Id,
      id: Id,
      by: { readonly actor: AuditActor; readonly service: string },
    ): Promise<void> {
      const entry = { type: "connection_purged", connection: id, ...by } as const;
      await audit.record(workspaceId, entry, deletion(workspaceId, id));
    },

    async deleteConnection(workspaceId: Id, id: Id): Promise<void> {
      await db.batch([...deletion(workspaceId, id)]);
    },

    /** Connections whose KV names are listed once more. */
    async toSweep(limit: number): Promise<readonly Id[]> {
      const { results } = await db
        .prepare(
          `SELECT id FROM erased_connections WHERE sweep_at <= ${databaseNow} ORDER BY sweep_at, id LIMIT ?1`,
        )
        .bind(limit)
        .all<{ id: Id }>();
      return results.map((row) => row.id);
    },

    async swept(id: Id): Promise<void> {
      await db.prepare("DELETE FROM erased_connections WHERE id = ?1").bind(id).run();
    },
  };
}
