import type { AuditEntry } from "../lib/audit-event.ts";
import type { Audit } from "./audit.ts";
import { publicColumns, type Connection } from "./connection.ts";
import { databaseNow, type Id } from "./database.ts";
import { createGrantOutcomes, supersede } from "./grant-outcome.ts";
import {
  grantColumns,
  journalDelay,
  nextCheck,
  nobodyWrites,
  type GrantState,
  type Lease,
  type NextGeneration,
} from "./grant-row.ts";

/** A deletion lists and revokes what it finds: nothing may come to life behind it. */
const accountStays =
  "NOT EXISTS (SELECT 1 FROM workspaces w WHERE w.id = workspace_id AND w.erasing_at IS NOT NULL)";

export type GrantStates = ReturnType<typeof createGrantStates>;

/** The conditional writes of the refresh protocol. Each is one statement or one batch, and says who won. */
export function createGrantStates(db: D1Database, audit: Pick<Audit, "record">) {
  return {
    ...createGrantOutcomes(db),

    async read(id: Id): Promise<GrantState | null> {
      return await db
        .prepare(`SELECT ${grantColumns} FROM connections WHERE id = ?1`)
        .bind(id)
        .first<GrantState>();
    },

    /**
     * Grants whose token request was out when its writer's time ran out, in the last hour, the latest first: there may
     * be a journal to adopt. A writer that said that it is done left none. Older ones were looked at before, and their
     * next use looks again.
     */
    async abandoned(limit: number): Promise<readonly GrantState[]> {
      const { results } = await db
        .prepare(
          `SELECT ${grantColumns} FROM connections
           WHERE sent_at > 0 AND lease_until <= ${databaseNow} - ${journalDelay}
             AND lease_until > ${databaseNow} - 3600000 AND status != 'disconnected'
           ORDER BY lease_until DESC LIMIT ?1`,
        )
        .bind(limit)
        .all<GrantState>();
      return results;
    },

    /**
     * Takes the lease for `length` ms: from `live`, from a `leased` whose lease ran out, or, where a token request is
     * still without a known end, after the caller has looked at it (`sentFence`) and its journal can no longer appear.
     * At most one caller wins.
     */
    async acquire(id: Id, gen: number, length: number, sentFence: number | null): Promise<Lease | null> {
      const row = await db
        .prepare(
          `UPDATE connections SET state = 'leased', fence = fence + 1, lease_until = ${databaseNow} + ?3
           WHERE id = ?1 AND gen = ?2 AND status = 'active' AND retry_at <= ${databaseNow}
             AND (state = 'live' OR (state = 'leased' AND sent_at = 0 AND lease_until <= ${databaseNow})
               OR (state IN ('sent', 'leased') AND fence = ?4 AND lease_until + ${journalDelay} <= ${databaseNow}))
           RETURNING fence`,
        )
        .bind(id, gen, length, sentFence)
        .first<{ fence: number }>();
      return row === null ? null : { connectionId: id, gen, fence: row.fence };
    },

    /**
     * Takes the lease from any state: the person is here, and what they bring replaces whatever is on its way. Null
     * where the connection is gone, or it or its account is being deleted.
     */
    async takeOver(id: Id, length: number): Promise<Lease | null> {
      const row = await db
        .prepare(
          `UPDATE connections SET state = 'leased', fence = fence + 1, lease_until = ${databaseNow} + ?2
           WHERE id = ?1 AND purging_at IS NULL AND ${accountStays} RETURNING fence, gen`,
        )
        .bind(id, length)
        .first<{ fence: number; gen: number }>();
      return row === null ? null : { connectionId: id, gen: row.gen, fence: row.fence };
    },

    /**
     * Says that a token request is about to leave, if the lease outlives it by `budget` ms. A repeat keeps the time of
     * the first: the provider's grace began with that one.
     */
    async intend(lease: Lease, budget: number): Promise<boolean> {
      const row = await db
        .prepare(
          `UPDATE connections SET state = 'sent', sent_at = CASE sent_at WHEN 0 THEN ${databaseNow} ELSE sent_at END
           WHERE id = ?1 AND gen = ?2 AND fence = ?3 AND state = 'leased' AND lease_until > ${databaseNow} + ?4
             AND status = 'active' RETURNING id`,
        )
        .bind(lease.connectionId, lease.gen, lease.fence, budget)
        .first();
      return row !== null;
    },

    /**
     * The next generation by a person's hand: a new credential, a new grant, or both, in one update. `revive` also
     * takes a disconnected connection back; without it only an active one is changed.
     */
    async replace(
      lease: Lease,
      next: NextGeneration,
      revive: boolean,
      event: {
        readonly workspaceId: Id;
        readonly entry: AuditEntry;
        /** What the change is besides, told in the same batch. */
        readonly changes?: readonly AuditEntry[];
      },
    ): Promise<Connection | null> {
      const entries = [event.entry, ...(event.changes ?? [])];
      const [, replaced] = await audit.record<Connection>(event.workspaceId, entries, [
        supersede(db, lease),
        db
          .prepare(
            `UPDATE connections SET gen = gen + 1, state = 'live', disconnected_at = NULL,
               status = CASE status WHEN 'suspended' THEN 'suspended' ELSE 'active' END,
               blob = ?4, blob_fence = ?3, blob_copied_at = NULL, lookup = ?5, verifier = ?6, storage = ?7,
               data_key_id = ?8, retry_at = 0, sent_at = 0, access_expires_at = ?9, refreshable = ?10, scope = ?11,
               upstream_url = ?12, issuer = ?13, kind = ?15, reauth_since = NULL, wanted_scope = NULL,
               refused_since = CASE WHEN ?14 THEN NULL ELSE refused_since END, revocation = NULL, due_at = CASE WHEN ?7 = 'managed' THEN COALESCE(?16, ${nextCheck}) END,
               authorized_at = CASE WHEN ?14 THEN ${databaseNow} ELSE authorized_at END
             WHERE id = ?1 AND gen = ?2 AND fence = ?3 AND state = 'leased' AND (status = 'active' OR ?14)
               AND ${accountStays}
             RETURNING ${publicColumns}`,
          )
          .bind(
            lease.connectionId,
            lease.gen,
            lease.fence,
            next.blob,
            next.lookup,
            next.verifier,
            next.storage,
            next.data_key_id,
            next.facts.access_expires_at,
            next.facts.refreshable ? 1 : 0,
            next.facts.scope,
            next.upstream_url,
            next.issuer,
            revive ? 1 : 0,
            next.kind,
            next.facts.due_at,
          ),
      ]);
      return replaced?.results[0] ?? null;
    },

    /** Gives the lease back without a change: an earlier request without a known end stays one. */
    async release(lease: Lease): Promise<void> {
      await db
        .prepare(
          `UPDATE connections SET state = CASE sent_at WHEN 0 THEN 'live' ELSE 'sent' END,
             lease_until = ${nobodyWrites}
           WHERE id = ?1 AND gen = ?2 AND fence = ?3 AND state = 'leased'`,
        )
        .bind(lease.connectionId, lease.gen, lease.fence)
        .run();
    },

    /**
     * Gives a lease back that was taken over, without a change: who needed a sign-in needs it still. Where a token
     * request was on its way, whoever sent it may yet bring what came of it: then the lease runs out by itself, and
     * keeps others from asking beside.
     */
    async handBack(lease: Lease): Promise<void> {
      await db
        .prepare(
          `UPDATE connections SET state = CASE WHEN reauth_since IS NULL THEN 'live' ELSE 'reauth' END,
             lease_until = ${databaseNow}
           WHERE id = ?1 AND gen = ?2 AND fence = ?3 AND state = 'leased'
             AND (sent_at = 0 OR reauth_since IS NOT NULL)`,
        )
        .bind(lease.connectionId, lease.gen, lease.fence)
        .run();
    },

    /** Remembers what the service said was missing, for the next sign-in. */
    async wantScope(id: Id, scope: string): Promise<void> {
      await db
        .prepare("UPDATE connections SET wanted_scope = ?2 WHERE id = ?1 AND wanted_scope IS NOT ?2")
        .bind(id, scope)
        .run();
    },
  };
}
