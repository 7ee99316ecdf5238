import type { AuditEntry } from "../lib/audit-event.ts";
import {
  headsQuery,
  insertPlaced,
  isTaken,
  place,
  plain,
  standBack,
  tries,
  type Head,
  type PlacedEvent,
  type PlainEvent,
} from "./audit-place.ts";
import { databaseNow, type Id } from "./database.ts";

interface QueuedEvent extends PlainEvent {
  readonly id: number;
  readonly workspace_id: Id;
}

const columns = "id, workspace_id, at, type, actor, connection_id, service, detail";

/** Events of background work: left in the queue in its own batch, and chained a little later. */
export function createAuditQueue(db: D1Database, defaultDays: number) {
  /** Chains what the query `which` answers. Four queries, however many events. */
  const chainThose = async (which: string, values: readonly (string | number)[]): Promise<number> => {
    const statements = [which, headsQuery(`SELECT DISTINCT workspace_id AS id FROM (${which}) AS page`)];
    for (let at = 1; ; at += 1) {
      // In one batch, which is one transaction: read one after the other, the ends could lie behind these very events,
      // which another run had chained in between, and they would be chained again.
      const read = await db.batch<QueuedEvent | Head>(
        statements.map((sql) => db.prepare(sql).bind(...values)),
      );
      const rows = read.flatMap(({ results }) => results);
      const waiting = rows.filter((row) => "workspace_id" in row);
      if (waiting.length === 0) return 0;
      const heads = new Map(rows.filter((row) => "hash" in row).map((head) => [head.id, head]));
      const placed: PlacedEvent[] = [];
      for (const { id: _, workspace_id: workspaceId, ...event } of waiting) {
        const head = heads.get(workspaceId);
        if (head === undefined) throw new Error("the database answered no row");
        const next = await place(head, event, defaultDays);
        placed.push(next);
        heads.set(workspaceId, { ...head, seq: next.seq, hash: next.hash });
      }
      const done = db
        .prepare("DELETE FROM audit_queue WHERE id IN (SELECT value FROM json_each(?1))")
        .bind(JSON.stringify(waiting.map((event) => event.id)));
      try {
        await db.batch([insertPlaced(db, placed, false), done]);
        return waiting.length;
      } catch (error) {
        if (at === tries || !isTaken(error)) throw error;
        await standBack(at);
      }
    }
  };

  /**
   * A statement that leaves an event to be chained soon, for a batch of background work, after a conditional one. Work
   * that outlives its account leaves none: the account's chain is gone, and the event would name it.
   */
  const queued = (workspaceId: Id, entry: AuditEntry, changed: boolean): D1PreparedStatement => {
    const event = plain(entry, 0);
    return db
      .prepare(
        `INSERT INTO audit_queue (workspace_id, at, type, actor, connection_id, service, detail)
         SELECT ?1, ${databaseNow}, ?2, ?3, ?4, ?5, ?6 FROM workspaces WHERE id = ?1
           ${changed ? "AND changes() > 0" : ""}`,
      )
      .bind(workspaceId, event.type, event.actor, event.connection_id, event.service, event.detail);
  };

  return {
    queued,

    /**
     * As `queued`, for each workspace whose id the query `workspaces` answers as `id`; its parameters are numbered from
     * ?1. For work on many rows at once.
     */
    queuedForEach(
      entry: AuditEntry,
      workspaces: string,
      values: readonly (string | number)[],
    ): D1PreparedStatement {
      const event = plain(entry, 0);
      const at = values.length;
      return db
        .prepare(
          `INSERT INTO audit_queue (workspace_id, at, type, actor, connection_id, service, detail)
           SELECT owned.id, ${databaseNow}, ?${at + 1}, ?${at + 2}, ?${at + 3}, ?${at + 4}, ?${at + 5}
           FROM (${workspaces}) AS owned`,
        )
        .bind(...values, event.type, event.actor, event.connection_id, event.service, event.detail);
    },

    /** Leaves an event to be chained soon. */
    async enqueue(workspaceId: Id, entry: AuditEntry): Promise<void> {
      await queued(workspaceId, entry, false).run();
    },

    /** Workspaces behind `after`, in order, with events that wait for their place in the chain. */
    async waiting(limit: number, after: Id = ""): Promise<readonly Id[]> {
      const { results } = await db
        .prepare(
          `SELECT DISTINCT workspace_id AS id FROM audit_queue WHERE workspace_id > ?2
           ORDER BY workspace_id LIMIT ?1`,
        )
        .bind(limit, after)
        .all<{ id: Id }>();
      return results.map((row) => row.id);
    },

    /** Chains up to `limit` waiting events of a workspace, oldest first; answers how many. */
    async chain(workspaceId: Id, limit: number): Promise<number> {
      return await chainThose(
        `SELECT ${columns} FROM audit_queue WHERE workspace_id = ?1 ORDER BY id LIMIT ?2`,
        [workspaceId, limit],
      );
    },

    /** Chains up to `limit` waiting events, oldest first, of whichever workspaces they are; answers how many. */
    async chainOldest(limit: number): Promise<number> {
      return await chainThose(`SELECT ${columns} FROM audit_queue ORDER BY id LIMIT ?1`, [limit]);
    },
  };
}
