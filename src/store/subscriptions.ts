import { databaseNow, type Id } from "./database.ts";
import type { BillingEvent } from "./billing-events.ts";
import { flatPlanColumns, unflattenFacts, type FlatFacts, type SubscriptionFacts } from "./plan-columns.ts";
import { settleStatements, type Announcements, type Settlement } from "./settlement.ts";

/** A workspace's plan as it is stored. Without a customer the facts are null. */
export interface PlanRow {
  readonly workspace_id: Id;
  readonly user_id: Id | null;
  /** When the workspace was made. */
  readonly since: number;
  readonly plan: string | null;
  readonly customer_id: string | null;
  readonly facts: SubscriptionFacts | null;
  /** Which answer of Stripe's the facts are; null without a customer. */
  readonly applied: number | null;
  readonly version: number;
  readonly fetched_at: number | null;
  readonly active: number;
  readonly suspended: number;
  readonly now: number;
}

/** Taken before Stripe is asked: what is then found is at least as new as everything that was known at this moment. */
export interface Ticket {
  readonly workspace_id: Id;
  readonly user_id: Id;
  readonly customer_id: string;
  readonly number: number;
  readonly since: number;
  readonly plan: string | null;
  readonly now: number;
}

export type Subscriptions = ReturnType<typeof createSubscriptions>;

export function createSubscriptions(db: D1Database, announce: Announcements) {
  return {
    /** All that decides about a workspace, in one read. */
    async read(workspaceId: Id): Promise<PlanRow | null> {
      const row = await db
        .prepare(
          `SELECT w.id AS workspace_id, w.created_at AS since, w.plan, u.id AS user_id, s.customer_id, s.applied,
             COALESCE(s.version, 0) AS version, s.fetched_at, ${flatPlanColumns}, ${databaseNow} AS now,
             (SELECT COUNT(*) FROM connections WHERE workspace_id = ?1 AND status = 'active') AS active,
             (SELECT COUNT(*) FROM connections WHERE workspace_id = ?1 AND status = 'suspended') AS suspended
           FROM workspaces w LEFT JOIN subscriptions s ON s.workspace_id = w.id LEFT JOIN users u ON u.workspace_id = w.id
           WHERE w.id = ?1 LIMIT 1`,
        )
        .bind(workspaceId)
        .first<Omit<PlanRow, "facts"> & FlatFacts>();
      return row === null ? null : { ...row, facts: unflattenFacts(row) };
    },

    /**
     * Binds a customer to a user, in place of `previous`, or of none. Answers the customer that is bound then: of two
     * that bind at once one wins, and of an account that is being deleted none. A customer that is somebody else's
     * already is refused by the database.
     */
    async bind(
      workspaceId: Id,
      userId: Id,
      customerId: string,
      previous: string | null,
    ): Promise<string | null> {
      await db
        .prepare(
          `INSERT INTO subscriptions (workspace_id, user_id, customer_id, created_at) 
           SELECT id, ?2, ?3, ${databaseNow} FROM workspaces WHERE id = ?1 AND erasing_at IS NULL
           ON CONFLICT (workspace_id) DO UPDATE SET customer_id = excluded.customer_id, ticket = ticket + 1
           WHERE customer_id = ?4`,
        )
        .bind(workspaceId, userId, customerId, previous)
        .run();
      return await db
        .prepare("SELECT customer_id FROM subscriptions WHERE workspace_id = ?1")
        .bind(workspaceId)
        .first<string>("customer_id");
    },

    /** Null: nobody here has this customer. */
    async takeTicket(customerId: string): Promise<Ticket | null> {
      return await db
        .prepare(
          `UPDATE subscriptions SET ticket = ticket + 1 WHERE customer_id = ?1
           RETURNING workspace_id, user_id, customer_id, ticket AS number, ${databaseNow} AS now,
             (SELECT created_at FROM workspaces WHERE id = workspace_id) AS since,
             (SELECT plan FROM workspaces WHERE id = workspace_id) AS plan`,
        )
        .bind(customerId)
        .first<Ticket>();
    },

    /**
     * Writes what Stripe said and all that follows from it, in one batch: unless a later ticket's answer is here
     * already, or, where it was an event that asked, this event has been seen. Answers whether it was written.
     */
    async apply(
      ticket: Ticket,
      facts: SubscriptionFacts,
      settlement: Settlement,
      event: BillingEvent | null,
    ): Promise<boolean> {
      const write = db
        .prepare(
          `UPDATE subscriptions SET applied = ?2, fetched_at = ${databaseNow}, subscription_id = ?3, status = ?4,
             quantity = ?5, period_end = ?6, cancel_at = ?7, past_due_since = ?8, paid_until = ?9, parts = ?10,
             version = version + ((subscription_id, status, quantity, period_end, cancel_at, past_due_since,
               paid_until, parts) IS NOT (?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10))
           WHERE workspace_id = ?1 AND customer_id = ?11 AND applied < ?2 ${event === null ? "" : "AND changes() > 0"}`,
        )
        .bind(
          ticket.workspace_id,
          ticket.number,
          facts.subscription_id,
          facts.status,
          facts.quantity,
          facts.period_end,
          facts.cancel_at,
          facts.past_due_since,
          facts.paid_until,
          facts.parts === null ? null : JSON.stringify(facts.parts),
          // In the meantime another customer may have been bound.
          ticket.customer_id,
        );
      const results = await db.batch([
        ...(event === null ? [] : [keepEvent(ticket, facts, event)]),
        write,
        ...settleStatements(db, announce, settlement, ticket.number),
      ]);
      return (results[event === null ? 0 : 1]?.meta.changes ?? 0) > 0;
    },

    /** Writes what follows from the plan by the time alone, unless Stripe's answer `applied` is no more the last. */
    async settle(settlement: Settlement, applied: number | null): Promise<void> {
      await db.batch([...settleStatements(db, announce, settlement, applied)]);
    },

    /** Workspaces that are to be looked at, the longest overdue first. */
    async due(limit: number): Promise<readonly Id[]> {
      const { results } = await db
        .prepare(
          `SELECT id FROM workspaces WHERE settle_at <= ${databaseNow} ORDER BY settle_at, id LIMIT ?1`,
        )
        .bind(limit)
        .all<{ id: Id }>();
      return results.map((row) => row.id);
    },

    /** Has the workspace looked at in `delay` ms at the latest. */
    async lookWithin(workspaceId: Id, delay: number): Promise<void> {
      await db
        .prepare(
          `UPDATE workspaces SET settle_at = MIN(COALESCE(settle_at, ${Number.MAX_SAFE_INTEGER}), ${databaseNow} + ?2)
           WHERE id = ?1`,
        )
        .bind(workspaceId, delay)
        .run();
    },

    /** Puts off looks (at most 90: D1 binds 100) that failed by `delay` ms, so that the others get their turn. */
    async postpone(workspaceIds: readonly Id[], delay: number): Promise<void> {
      const places = workspaceIds.map((_, at) => `?${at + 2}`).join(", ");
      await db
        .prepare(`UPDATE workspaces SET settle_at = ${databaseNow} + ?1 WHERE id IN (${places})`)
        .bind(delay, ...workspaceIds)
        .run();
    },

    /** What was asked under `version` was refused: whoever asks again has another intent. */
    async nextIntent(workspaceId: Id, version: number): Promise<void> {
      await db
        .prepare("UPDATE subscriptions SET version = version + 1 WHERE workspace_id = ?1 AND version = ?2")
        .bind(workspaceId, version)
        .run();
    },

    /** Workspaces in which connections are suspended although nothing limits them any more. */
    async withSuspended(limit: number): Promise<readonly Id[]> {
      const { results } = await db
        .prepare(
          `SELECT DISTINCT workspace_id AS id FROM connections
           WHERE status = 'suspended' AND workspace_id > '' ORDER BY workspace_id LIMIT ?1`,
        )
        .bind(limit)
        .all<{ id: Id }>();
      return results.map((row) => row.id);
    },

    /** For the erasure of an account, once its customer is gone at Stripe. */
    async forget(workspaceId: Id): Promise<void> {
      await db.prepare("DELETE FROM subscriptions WHERE workspace_id = ?1").bind(workspaceId).run();
    },
  };

  function keepEvent(ticket: Ticket, facts: SubscriptionFacts, event: BillingEvent): D1PreparedStatement {
    return db
      .prepare(
        `INSERT INTO billing_events (id, type, workspace_id, object_id, status, quantity, created_at, received_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ${databaseNow}) ON CONFLICT (id) DO NOTHING`,
      )
      .bind(
        event.id,
        event.type,
        ticket.workspace_id,
        event.object_id,
        facts.status,
        facts.quantity,
        event.created_at,
      );
  }
}
