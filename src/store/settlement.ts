import type { AuditEntry } from "../lib/audit-event.ts";
import { day } from "../lib/clock.ts";
import { databaseNow, type Id } from "./database.ts";

/** How an event and a mail become statements of a batch. */
export interface Announcements {
  audit(workspaceId: Id, entry: AuditEntry, changed: boolean): D1PreparedStatement;
  mail(mail: BillingMail, changed: boolean): D1PreparedStatement;
}

export interface BillingMail {
  readonly occasion: string;
  readonly kind:
    | "subscription_confirmed"
    | "payment_failed"
    | "connections_suspended"
    | "connections_restored";
  readonly userId: Id;
  readonly connectionId: null;
}

/** What a plan means for its workspace, as it is to be written down. */
export interface Settlement {
  readonly workspaceId: Id;
  /** Null: there is no user, so nobody is told. */
  readonly userId: Id | null;
  readonly plan: string;
  /** How many connections may run, the oldest first; null: any number. */
  readonly limit: number | null;
  /** Days that audit events are kept; null: as the deployment says. */
  readonly auditDays: number | null;
  /** When to look again, ms since the epoch; null: not before somebody says something. */
  readonly nextLook: number | null;
  /** Goes out if the plan is another one than before. */
  readonly mail: BillingMail | null;
  /** Makes the mails about this change one each. */
  readonly occasion: string;
  /** A new workspace's first plan is no change. */
  readonly silent: boolean;
}

const noLimit = 1_000_000_000;

/**
 * The statements that bring connections, plan and the next look in line with a plan. Each holds only while `applied` is
 * the last of Stripe's answers, so nothing that was computed from an older one is written. Nothing is deleted: the
 * newest connections beyond the limit are suspended, and come back the oldest first.
 */
export function settleStatements(
  db: D1Database,
  announce: Announcements,
  settlement: Settlement,
  applied: number | null,
): readonly D1PreparedStatement[] {
  const { workspaceId, userId, plan, auditDays, nextLook, occasion } = settlement;
  const limit = settlement.limit ?? noLimit;
  const isLast = "(SELECT applied FROM subscriptions WHERE workspace_id = ?1) IS ?2";

  const change = (from: "active" | "suspended", type: string): readonly D1PreparedStatement[] => {
    const to = from === "active" ? "suspended" : "active";
    const range = from === "active" ? "LIMIT -1 OFFSET ?3" : "LIMIT ?3";
    const which = `status = '${from}' AND ${isLast} AND id IN (SELECT id FROM connections
      WHERE workspace_id = ?1 AND status != 'disconnected' ORDER BY created_at, id ${range})`;
    // What is suspended is left alone; what comes back is looked at at once: its token may have ended.
    const due =
      from === "active"
        ? `CASE WHEN due_at IS NOT NULL THEN ${databaseNow} + ${day} END`
        : `CASE WHEN storage = 'managed' AND state != 'reauth' THEN ${databaseNow} END`;
    const kind = from === "active" ? "connections_suspended" : "connections_restored";
    const mail =
      userId === null
        ? null
        : announce.mail({ occasion: `${kind}/${occasion}`, kind, userId, connectionId: null }, true);
    return [
      db
        .prepare(
          `INSERT INTO audit_queue (workspace_id, at, type, actor, connection_id, service, detail)
           SELECT workspace_id, ${databaseNow}, '${type}', 'system', id, service, json_object('plan', ?4)
           FROM connections WHERE ${which} ORDER BY created_at, id`,
        )
        .bind(workspaceId, applied, limit, plan),
      db
        .prepare(`UPDATE connections SET status = '${to}', due_at = ${due} WHERE ${which}`)
        .bind(workspaceId, applied, limit),
      ...(mail === null ? [] : [mail]),
    ];
  };

  const planMail = settlement.mail === null ? null : announce.mail(settlement.mail, true);
  const entry = {
    type: "plan_changed",
    actor: "system",
    detail: { plan, connections: settlement.limit },
  } as const;
  return [
    db
      .prepare(
        `UPDATE workspaces SET plan = ?3, plan_limit = ?4
         WHERE id = ?1 AND (plan IS NOT ?3 OR plan_limit IS NOT ?4) AND ${isLast}`,
      )
      .bind(workspaceId, applied, plan, settlement.limit),
    ...(settlement.silent ? [] : [announce.audit(workspaceId, entry, true)]),
    ...(planMail === null ? [] : [planMail]),
    ...change("active", "connection_suspended"),
    ...change("suspended", "connection_resumed"),
    // An earlier look that is still to come stays: somebody began a checkout, of which we may hear nothing.
    db
      .prepare(
        `UPDATE workspaces SET audit_days = ?4, settle_at = CASE
           WHEN settle_at > ${databaseNow} AND (?3 IS NULL OR settle_at < ?3) THEN settle_at ELSE ?3 END
         WHERE id = ?1 AND (settle_at IS NOT ?3 OR audit_days IS NOT ?4) AND ${isLast}`,
      )
      .bind(workspaceId, applied, nextLook, auditDays),
  ];
}
