import type { ConnectionKind } from "./connection.ts";
import { databaseNow, type Id } from "./database.ts";
import { connectionEvent } from "./grant-event.ts";
import { grantColumns, nextCheck, type GrantState } from "./grant-row.ts";

/** A connection whose time has come, with all that its work begins with. */
export interface DueRow extends GrantState {
  readonly due_at: number;
  readonly kind: ConnectionKind;
  readonly issuer: string | null;
  readonly refused_since: number | null;
  /** The data key wrapped under a master key that this deployment has loaded, if there is one. */
  readonly wrapped_data_key: string | null;
}

/** Where the page before ended. */
export interface DueCursor {
  readonly due_at: number;
  readonly id: Id;
}

export interface PutOff {
  readonly id: Id;
  /** The time that was read: whoever changed it since knows better. */
  readonly due_at: number;
  /** ms from now; null: nothing is due any more. */
  readonly delay: number | null;
}

export type Due = ReturnType<typeof createDue>;

/** What the background has to do for managed connections, and what came of it where no refresh wrote that itself. */
export function createDue(db: D1Database) {
  return {
    /** Due rows, longest due first, after `after`. By index: what is not due costs nothing. */
    async page(
      after: DueCursor | null,
      limit: number,
      fingerprints: readonly string[],
    ): Promise<readonly DueRow[]> {
      const wrapping =
        fingerprints.length === 0
          ? "NULL"
          : `(SELECT w.wrapped FROM data_key_wrappings w WHERE w.data_key_id = connections.data_key_id
               AND w.fingerprint IN (${fingerprints.map((_, at) => `?${at + 4}`).join(", ")}) LIMIT 1)`;
      const { results } = await db
        .prepare(
          `SELECT ${grantColumns}, kind, issuer, refused_since, ${wrapping} AS wrapped_data_key FROM connections
           WHERE due_at IS NOT NULL AND due_at <= ${databaseNow} AND (due_at, id) > (?1, ?2)
           ORDER BY due_at, id LIMIT ?3`,
        )
        .bind(after?.due_at ?? 0, after?.id ?? "", limit, ...fingerprints)
        .all<DueRow>();
      return results;
    },

    /** Takes a row for `time` ms: of several runs at once, one gets it. A refresh needs none of this: it has its lease. */
    async claim(row: DueCursor, time: number): Promise<boolean> {
      const claimed = await db
        .prepare(
          `UPDATE connections SET due_at = ${databaseNow} + ?3 WHERE id = ?1 AND due_at = ?2 RETURNING id`,
        )
        .bind(row.id, row.due_at, time)
        .first();
      return claimed !== null;
    },

    /** One statement for all. */
    async putOff(rows: readonly PutOff[]): Promise<void> {
      if (rows.length === 0) return;
      await db
        .prepare(
          `UPDATE connections SET due_at = ${databaseNow} + CAST(copied.value ->> 'delay' AS INTEGER)
           FROM json_each(?1) AS copied
           WHERE connections.id = copied.value ->> 'id' AND connections.due_at = copied.value ->> 'due_at'`,
        )
        .bind(JSON.stringify(rows.map(({ id, due_at, delay }) => ({ id, due_at, delay }))))
        .run();
    },

    /** The service took the secret of this generation. */
    async works(row: Pick<GrantState, "id" | "gen">): Promise<void> {
      await db
        .prepare(
          `UPDATE connections SET checked_at = ${databaseNow}, refused_since = NULL, unreachable_since = NULL, due_at = ${nextCheck}
           WHERE id = ?1 AND gen = ?2 AND due_at IS NOT NULL`,
        )
        .bind(row.id, row.gen)
        .run();
    },

    /**
     * The service refused the secret of this generation. Calls still pass: nothing says that it ended. Told once:
     * `since` is since when it was refused already, also before tokens that were renewed in vain.
     */
    async refused(row: Pick<GrantState, "id" | "gen">, since: number | null): Promise<void> {
      const change = db
        .prepare(
          `UPDATE connections SET refused_since = COALESCE(?3, ${databaseNow})
           WHERE id = ?1 AND gen = ?2 AND due_at IS NOT NULL AND refused_since IS NULL`,
        )
        .bind(row.id, row.gen, since);
      const event = connectionEvent(db, row.id, "liveness_failed", {});
      await db.batch([
        ...(since === null ? [change, event] : [change]),
        db
          .prepare(
            `UPDATE connections SET due_at = ${nextCheck} WHERE id = ?1 AND gen = ?2 AND due_at IS NOT NULL`,
          )
          .bind(row.id, row.gen),
      ]);
    },

    /** A token that nothing renews is over: only a new sign-in helps. */
    async ended(row: Pick<GrantState, "id" | "gen">): Promise<void> {
      await db.batch([
        db
          .prepare(
            `UPDATE connections SET state = 'reauth', reauth_since = ${databaseNow}, due_at = NULL
             WHERE id = ?1 AND gen = ?2 AND status = 'active' AND refreshable = 0 AND access_expires_at <= ${databaseNow}
               AND (state = 'live' OR (state = 'leased' AND sent_at = 0 AND lease_until <= ${databaseNow}))`,
          )
          .bind(row.id, row.gen),
        connectionEvent(db, row.id, "refresh_failed", { by: "schedule", reason: "ended" }),
      ]);
    },
  };
}
