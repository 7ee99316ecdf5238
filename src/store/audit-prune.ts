import { databaseNow, type Id } from "./database.ts";

/** A writer reads the end of the chain before it writes: what it may have read stays this long, ms. */
const settled = 3_600_000;

/** Some workspaces in their order, and which of them have something to prune. */
export interface PrunePage {
  readonly over: readonly Id[];
  /** Where the next page begins; null: there are no more. */
  readonly next: Id | null;
}

export type AuditPrune = ReturnType<typeof createAuditPrune>;

/**
 * Takes events out of the audit log whose time is over. Only the beginning of a workspace's chain goes, and the hash of
 * its last event stays as the checkpoint, in the same batch: what is left can be verified from there.
 */
export function createAuditPrune(db: D1Database) {
  return {
    /**
     * Of the next `limit` workspaces behind `after` those whose first event is over. Costs a look at the first event of
     * each, however many events are over.
     */
    async waiting(after: Id, limit: number): Promise<PrunePage> {
      const { results } = await db
        .prepare(
          `SELECT page.id, COALESCE(
               (SELECT keep_until <= ${databaseNow} AND at <= ${databaseNow} - ${settled} FROM audit_events
                WHERE workspace_id = page.id ORDER BY seq LIMIT 1), 0) AS over
           FROM (SELECT id FROM workspaces WHERE id > ?1 ORDER BY id LIMIT ?2) AS page`,
        )
        .bind(after, limit)
        .all<{ id: Id; over: number }>();
      return {
        over: results.filter((row) => row.over === 1).map((row) => row.id),
        next: results.length < limit ? null : (results.at(-1)?.id ?? null),
      };
    },

    /** Deletes the first events of a workspace that are over, `limit` at most; answers how many. Three queries. */
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
