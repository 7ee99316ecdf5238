import { databaseNow, type Id } from "./database.ts";

/** A writer reads the end of the chain before it writes: what it may have read stays this long, ms. */
const settled = 3_600_000;

export type AuditPrune = ReturnType<typeof createAuditPrune>;

/**
 * Takes events out of the audit log whose time is over. Only the beginning of a workspace's chain goes, and the hash of
 * its last event stays as the checkpoint, in the same batch: what is left can be verified from there.
 */
export function createAuditPrune(db: D1Database) {
  return {
    /** Workspaces whose first event is over, the one that has been so for longest first. */
    async waiting(limit: number): Promise<readonly Id[]> {
      const { results } = await db
        .prepare(
          `SELECT workspace_id AS id FROM audit_events first
           WHERE keep_until <= ${databaseNow} AND at <= ${databaseNow} - ${settled} AND NOT EXISTS
             (SELECT 1 FROM audit_events before WHERE before.workspace_id = first.workspace_id AND before.seq < first.seq)
           ORDER BY keep_until LIMIT ?1`,
        )
        .bind(limit)
        .all<{ id: Id }>();
      return results.map((row) => row.id);
    },

    /** Deletes the first events of a workspace that are over, `limit` at most; answers how many. */
    async prune(workspaceId: Id, limit: number): Promise<number> {
      const { results } = await db
        .prepare(
          `SELECT seq, keep_until <= ${databaseNow} AND at <= ${databaseNow} - ${settled} AS over FROM audit_events
           WHERE workspace_id = ?1 ORDER BY seq LIMIT ?2`,
        )
        .bind(workspaceId, limit)
        .all<{ seq: number; over: number }>();
      const kept = results.findIndex((row) => row.over === 0);
      const last = results[(kept === -1 ? results.length : kept) - 1];
      if (last === undefined) return 0;
      const [, deleted] = await db.batch([
        db
          .prepare(
            `INSERT INTO audit_checkpoints (workspace_id, seq, hash, at)
             SELECT workspace_id, seq, hash, ${databaseNow} FROM audit_events WHERE workspace_id = ?1 AND seq = ?2
             ON CONFLICT (workspace_id) DO UPDATE SET seq = excluded.seq, hash = excluded.hash, at = excluded.at`,
          )
          .bind(workspaceId, last.seq),
        // Behind the checkpoint as it now is, and nothing else; a trigger refuses what is not over.
        db
          .prepare(
            `DELETE FROM audit_events WHERE workspace_id = ?1
             AND seq <= (SELECT seq FROM audit_checkpoints WHERE workspace_id = ?1)`,
          )
          .bind(workspaceId),
      ]);
      return deleted?.meta.changes ?? 0;
    },
  };
}
