import type { AuditDetail, AuditType } from "../lib/audit-event.ts";
import { databaseNow, type Id } from "./database.ts";

/**
 * A statement for a batch that changes a connection without its owner: leaves an event to be chained soon, where the
 * statement **right before it** changed a row (`changes()` speaks of that one alone). Owner and service come from the
 * row, so that no read is needed, and nothing in it can fail: what it tells of must not be lost over it.
 */
export function connectionEvent(
  db: D1Database,
  id: Id,
  type: AuditType,
  detail: AuditDetail,
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO audit_queue (workspace_id, at, type, actor, connection_id, service, detail)
       SELECT workspace_id, ${databaseNow}, ?2, 'system', id, service, ?3 FROM connections
       WHERE id = ?1 AND changes() > 0`,
    )
    .bind(id, type, JSON.stringify(detail));
}
