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
} from "./audit-place.ts";
import { createAuditQueue } from "./audit-queue.ts";
import type { Id } from "./database.ts";

export type Audit = ReturnType<typeof createAudit>;

/**
 * Appends to the audit log. `defaultDays` is how long events are kept where the workspace's plan does not say.
 *
 * An event's place in the chain is read first and taken in the operation's own batch: two writers that meet want the
 * same (workspace, seq), the second's batch is rolled back as a whole, and it tries again behind the first. So an
 * operation without its event does not happen, and no event tells of an operation that did not.
 */
export function createAudit(db: D1Database, defaultDays: number) {
  const headOf = async (workspaceId: Id): Promise<Head> => {
    const head = await db.prepare(headsQuery("SELECT ?1 AS id")).bind(workspaceId).first<Head>();
    if (head === null) throw new Error("the database answered no row");
    return head;
  };

  return {
    ...createAuditQueue(db, defaultDays),

    /**
     * Runs the operation's statements and the events of it in one batch. The events are written where the **last** of
     * the statements changed a row. Answers the results of the statements.
     */
    async record<T>(
      workspaceId: Id,
      entries: AuditEntry | readonly AuditEntry[],
      operation: readonly D1PreparedStatement[],
    ): Promise<readonly D1Result<T>[]> {
      for (let at = 1; ; at += 1) {
        let head = await headOf(workspaceId);
        const events: PlacedEvent[] = [];
        for (const entry of [entries].flat()) {
          const event = await place(head, plain(entry, head.now), defaultDays);
          events.push(event);
          head = { ...head, seq: event.seq, hash: event.hash };
        }
        try {
          const results = await db.batch<T>([...operation, insertPlaced(db, events, operation.length > 0)]);
          return results.slice(0, operation.length);
        } catch (error) {
          if (at === tries || !isTaken(error)) throw error;
          await standBack(at);
        }
      }
    },
  };
}
