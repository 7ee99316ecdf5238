import { databaseNow, type Id } from "./database.ts";
import { connectionEvent } from "./grant-event.ts";
import {
  nextCheck,
  nobodyWrites,
  supersededFor,
  type Lease,
  type RenewedBy,
  type TokenFacts,
} from "./grant-row.ts";

/** The background asks no provider again sooner that answered, ms. */
const leastWait = 60_000;

/** Says when the blob that a batch is about to replace may go. The job that deletes checks again that it is not current. */
export function supersede(db: D1Database, lease: Lease): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO superseded_blobs (name, delete_after)
       SELECT 't/' || id || '/' || gen || '/' || blob_fence, ${databaseNow} + ${supersededFor} FROM connections
       WHERE id = ?1 AND gen = ?2 AND fence = ?3 AND state != 'live'
       ON CONFLICT (name) DO UPDATE SET delete_after = excluded.delete_after`,
    )
    .bind(lease.connectionId, lease.gen, lease.fence);
}

/** What new tokens say in the row; `?4` … are the blob and the facts of it. */
const renewed = `gen = gen + 1, state = 'live', blob = ?4, blob_copied_at = NULL, access_expires_at = ?5,
  refreshable = ?6, scope = ?7, due_at = CASE WHEN storage = 'managed' THEN COALESCE(?8, ?5, ${nextCheck}) END,
  retry_at = 0, sent_at = 0, refreshed_at = ${databaseNow}, reauth_since = NULL, refused_since = NULL`;

/** The background's next try, `wait` ms from now and up to a quarter later, where it has to do with the row at all. */
const laterDue = (wait: string): string => `due_at = CASE WHEN due_at IS NOT NULL
  THEN CAST(${databaseNow} + ${wait} + abs(random() % (CAST(${wait} / 4 AS INTEGER) + 1)) AS INTEGER) END`;

const values = (lease: Lease, blob: string, facts: TokenFacts) =>
  [
    lease.connectionId,
    lease.gen,
    lease.fence,
    blob,
    facts.access_expires_at,
    facts.refreshable ? 1 : 0,
    facts.scope,
    facts.due_at,
  ] as const;

/** How an attempt to renew a grant ends: the change and its event in one batch, at the price of one round trip. */
export function createGrantOutcomes(db: D1Database) {
  const conclude = async (
    lease: Lease,
    change: D1PreparedStatement,
    event: D1PreparedStatement,
  ): Promise<boolean> => {
    const [, changed] = await db.batch<{ id: Id }>([supersede(db, lease), change, event]);
    return changed !== undefined && changed.results.length > 0;
  };

  return {
    /** The first durable write of a refresh: the blob becomes the next generation, in the row itself. */
    async commit(lease: Lease, blob: string, facts: TokenFacts, by: RenewedBy): Promise<boolean> {
      return await conclude(
        lease,
        db
          .prepare(
            `UPDATE connections SET ${renewed}, blob_fence = ?3
             WHERE id = ?1 AND gen = ?2 AND fence = ?3 AND state IN ('sent', 'reauth') AND status != 'disconnected'
             RETURNING id`,
          )
          .bind(...values(lease, blob, facts)),
        connectionEvent(db, lease.connectionId, "refresh_succeeded", { by }),
      );
    },

    /**
     * Adopts a journal: like `commit`, for a writer that is gone. `journalFence` is the lease that wrote it; it must
     * lie after the current blob's and not after the last lease.
     */
    async adopt(
      seen: Lease,
      journalFence: number,
      blob: string,
      facts: TokenFacts,
      by: RenewedBy,
    ): Promise<boolean> {
      return await conclude(
        seen,
        db
          .prepare(
            `UPDATE connections SET ${renewed}, blob_fence = ?9
             WHERE id = ?1 AND gen = ?2 AND fence = ?3 AND status != 'disconnected' AND ?9 > blob_fence AND ?9 <= fence
               AND (state IN ('sent', 'reauth') OR (state = 'leased' AND lease_until <= ${databaseNow}))
             RETURNING id`,
          )
          .bind(...values(seen, blob, facts), journalFence),
        connectionEvent(db, seen.connectionId, "refresh_succeeded", { by, reason: "recovered" }),
      );
    },

    /**
     * The provider answered, but not with tokens: nobody asks again before `delay` ms have passed. `repeated` says that
     * an earlier request was never answered: what came of that one is still unknown. The background waits a minute at
     * least. Not told where a try of this generation was told (`told`).
     */
    async postpone(
      lease: Lease,
      delay: number,
      { repeated, told }: { readonly repeated: boolean; readonly told: boolean },
      by: RenewedBy,
    ): Promise<void> {
      const change = db
        .prepare(
          `UPDATE connections SET state = CASE WHEN ?5 THEN 'sent' ELSE 'live' END,
             sent_at = CASE WHEN ?5 THEN sent_at ELSE 0 END, lease_until = ${nobodyWrites},
             retry_at = ${databaseNow} + ?4, ${laterDue(`MAX(?4, ${leastWait})`)}
           WHERE id = ?1 AND gen = ?2 AND fence = ?3 AND state = 'sent'`,
        )
        .bind(lease.connectionId, lease.gen, lease.fence, delay, repeated ? 1 : 0);
      const event = connectionEvent(db, lease.connectionId, "refresh_failed", { by, reason: "refused" });
      await db.batch(told ? [change] : [change, event]);
    },

    /**
     * The provider did not answer, so it may have rotated. The state stays `sent`; since this writer knows that it
     * wrote no journal, nobody needs to wait for one. `delay` ms keep many isolates from asking a dead provider at
     * every call; the background waits `again` ms. Told once, not at each `repeated` attempt.
     */
    async unanswered(
      lease: Lease,
      wait: { readonly delay: number; readonly again: number },
      repeated: boolean,
      by: RenewedBy,
    ): Promise<void> {
      const change = db
        .prepare(
          `UPDATE connections SET lease_until = ${nobodyWrites}, retry_at = ${databaseNow} + ?5, ${laterDue("?4")}
           WHERE id = ?1 AND gen = ?2 AND fence = ?3 AND state = 'sent'`,
        )
        .bind(lease.connectionId, lease.gen, lease.fence, wait.again, wait.delay);
      const event = connectionEvent(db, lease.connectionId, "refresh_failed", { by, reason: "no_answer" });
      await db.batch(repeated ? [change] : [change, event]);
    },

    /** Only a new sign-in helps. A journal that turns up later is still adopted. */
    async markReauth(lease: Lease, reason: "permanent" | "answer_lost", by: RenewedBy): Promise<boolean> {
      const [marked] = await db.batch([
        db
          .prepare(
            `UPDATE connections SET state = 'reauth', reauth_since = ${databaseNow}, due_at = NULL
             WHERE id = ?1 AND gen = ?2 AND fence = ?3
               AND (state = 'sent' OR (state = 'leased' AND sent_at > 0 AND lease_until <= ${databaseNow}))
             RETURNING id`,
          )
          .bind(lease.connectionId, lease.gen, lease.fence),
        connectionEvent(db, lease.connectionId, "refresh_failed", { by, reason }),
      ]);
      return marked !== undefined && marked.results.length > 0;
    },
  };
}
