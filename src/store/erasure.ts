import type { Audit } from "./audit.ts";
import { createConnectionErasure } from "./connection-erasure.ts";
import type { ConnectionKind, RevocationState, StorageMode } from "./connection.ts";
import { databaseNow, type Id } from "./database.ts";

/** How long tokens of an erased person are refused, ms: none is accepted that is older. */
const refusedFor = 86_400_000;
/** A step that failed is tried again after this time, ms; one that was killed as well. */
const retryAfter = 120_000;

/** An account on its way out. */
export interface Erasure {
  /** SHA-256 of issuer and subject. */
  readonly person: string;
  readonly workspace_id: Id;
}

export interface Refusal {
  readonly until: number;
  readonly known: 0 | 1;
}

export interface Owned {
  readonly id: Id;
  readonly service: string;
  readonly kind: ConnectionKind;
  readonly storage: StorageMode;
  readonly revocation: RevocationState | null;
}

export interface GrantGroup {
  readonly service: string;
  readonly kind: ConnectionKind;
  readonly revocation: RevocationState | null;
  readonly connections: number;
}

export type Erasures = ReturnType<typeof createErasures>;

/** Deleting for good. Each step may be the last that a process does; the job finds what is left. */
export function createErasures(db: D1Database, audit: Pick<Audit, "record">) {
  /** Every credential is dead from here on. What nobody here can open is not kept for its holder. */
  const closing = (workspaceId: Id): D1PreparedStatement =>
    db
      .prepare(
        `UPDATE connections SET status = 'disconnected', disconnected_at = ${databaseNow}, due_at = NULL,
           revocation_at = ${databaseNow}, revocation = CASE WHEN kind = 'key' THEN 'not_applicable'
             WHEN storage = 'managed' THEN 'pending' ELSE 'awaiting_credential' END,
           blob = CASE WHEN kind = 'oauth' AND storage = 'managed' THEN blob END
         WHERE workspace_id = ?1 AND status != 'disconnected'`,
      )
      .bind(workspaceId);

  return {
    ...createConnectionErasure(db, audit),

    /** Closes an account: from here on nothing is admitted for it, and the job goes on where this process stops. */
    async begin(person: string, workspaceId: Id): Promise<void> {
      await db.batch([
        db
          .prepare(`UPDATE workspaces SET erasing_at = COALESCE(erasing_at, ${databaseNow}) WHERE id = ?1`)
          .bind(workspaceId),
        closing(workspaceId),
        db
          .prepare(
            `INSERT INTO erasures (person, workspace_id, started_at, next_at)
             VALUES (?1, ?2, ${databaseNow}, ${databaseNow} + ${retryAfter})
             ON CONFLICT (person) DO UPDATE SET workspace_id = excluded.workspace_id, tries = 0, identity_since = NULL,
               finished_at = NULL, started_at = excluded.started_at, next_at = excluded.next_at
               WHERE erasures.workspace_id IS NULL`,
          )
          .bind(person, workspaceId),
        db
          .prepare("DELETE FROM tokens WHERE user_id IN (SELECT id FROM users WHERE workspace_id = ?1)")
          .bind(workspaceId),
      ]);
    },

    /**
     * Until when tokens of a person whose account was deleted were made in vain, and whether this sign-in is one from
     * before; null where nobody's account was deleted lately.
     */
    async refusal(person: string, session: string): Promise<Refusal | null> {
      return await db
        .prepare(
          `SELECT COALESCE(finished_at, ${databaseNow}) AS until,
             EXISTS (SELECT 1 FROM erased_sessions WHERE person = ?1 AND session = ?2) AS known
           FROM erasures WHERE person = ?1`,
        )
        .bind(person, session)
        .first<Refusal>();
    },

    /** Closes what is active all the same, such as what an older version of the worker let in. */
    async close(workspaceId: Id): Promise<void> {
      await closing(workspaceId).run();
    },

    /** For how long the identity provider has not deleted the person, ms; 0: this is the first time. */
    async identityWaits(person: string): Promise<number> {
      const waited = await db
        .prepare(
          `UPDATE erasures SET identity_since = COALESCE(identity_since, ${databaseNow}) WHERE person = ?1
           RETURNING ${databaseNow} - identity_since AS waited`,
        )
        .bind(person)
        .first<number>("waited");
      return waited ?? 0;
    },

    /** Takes erasures that are due, so that no other run takes them for a while. */
    async take(limit: number): Promise<readonly Erasure[]> {
      const { results } = await db
        .prepare(
          `UPDATE erasures SET next_at = ${databaseNow} + ${retryAfter}, tries = tries + 1
           WHERE person IN (SELECT person FROM erasures WHERE next_at <= ${databaseNow} ORDER BY next_at LIMIT ?1)
             AND workspace_id IS NOT NULL
           RETURNING person, workspace_id`,
        )
        .bind(limit)
        .all<Erasure>();
      return results;
    },

    /** A run that ended because it had done its share: the next one need not wait for it. */
    async again(person: string): Promise<void> {
      await db
        .prepare(
          `UPDATE erasures SET next_at = ${databaseNow} WHERE person = ?1 AND workspace_id IS NOT NULL`,
        )
        .bind(person)
        .run();
    },

    /** What a closed workspace holds, by service: for the person to see what only they can end. */
    async grants(workspaceId: Id): Promise<readonly GrantGroup[]> {
      const { results } = await db
        .prepare(
          `SELECT service, kind, revocation, COUNT(*) AS connections FROM connections
           WHERE workspace_id = ?1 AND revocation IS NOT 'revoked' GROUP BY service, kind, revocation`,
        )
        .bind(workspaceId)
        .all<GrantGroup>();
      return results;
    },

    async connections(workspaceId: Id, limit: number): Promise<readonly Owned[]> {
      const { results } = await db
        .prepare(
          `SELECT id, service, kind, storage, revocation FROM connections WHERE workspace_id = ?1
           ORDER BY created_at DESC, id DESC LIMIT ?2`,
        )
        .bind(workspaceId, limit)
        .all<Owned>();
      return results;
    },

    /** Up to `limit` audit events: there may be more of them than one statement should touch. */
    async deleteEvents(workspaceId: Id, limit: number): Promise<number> {
      const { meta } = await db
        .prepare(
          `DELETE FROM audit_events WHERE workspace_id = ?1
             AND seq IN (SELECT seq FROM audit_events WHERE workspace_id = ?1 ORDER BY seq LIMIT ?2)`,
        )
        .bind(workspaceId, limit)
        .run();
      return meta.changes;
    },

    async identityOf(workspaceId: Id): Promise<{ readonly issuer: string; readonly subject: string } | null> {
      return await db
        .prepare("SELECT issuer, subject FROM users WHERE workspace_id = ?1")
        .bind(workspaceId)
        .first<{ issuer: string; subject: string }>();
    },

    /**
     * Everything else that names the person, in one transaction. A foreign key that still points here makes it fail
     * as a whole: somebody wrote meanwhile, and the next run deletes that too.
     */
    async finish({ person, workspace_id: workspaceId }: Erasure): Promise<void> {
      const ofUser = "(SELECT id FROM users WHERE workspace_id = ?1)";
      await db.batch([
        db
          .prepare(
            `INSERT INTO erased_sessions (person, session) SELECT ?2, session FROM logins WHERE user_id IN ${ofUser}
             ON CONFLICT DO NOTHING`,
          )
          .bind(workspaceId, person),
        ...[
          "DELETE FROM flows WHERE workspace_id = ?1",
          `DELETE FROM tokens WHERE user_id IN ${ofUser}`,
          `DELETE FROM logins WHERE user_id IN ${ofUser}`,
          `DELETE FROM idempotency_keys WHERE user_id IN ${ofUser}`,
          `DELETE FROM support_nonces WHERE user_id IN ${ofUser}`,
          `DELETE FROM mail_queue WHERE user_id IN ${ofUser}`,
          "DELETE FROM audit_queue WHERE workspace_id = ?1",
          "DELETE FROM audit_events WHERE workspace_id = ?1",
          "DELETE FROM audit_checkpoints WHERE workspace_id = ?1",
          "DELETE FROM data_key_wrappings WHERE data_key_id IN (SELECT id FROM data_keys WHERE owner = ?1)",
          "DELETE FROM data_keys WHERE owner = ?1",
          "DELETE FROM users WHERE workspace_id = ?1",
          "DELETE FROM workspaces WHERE id = ?1",
        ].map((sql) => db.prepare(sql).bind(workspaceId)),
        db
          .prepare(
            `UPDATE erasures SET workspace_id = NULL, next_at = NULL, finished_at = ${databaseNow} WHERE person = ?1`,
          )
          .bind(person),
      ]);
    },

    /** Once no token from before the erasure can live, nothing of the person is left to remember. */
    async forgetPersons(): Promise<number> {
      const { meta } = await db
        .prepare(
          `DELETE FROM erasures WHERE finished_at IS NOT NULL AND finished_at < ${databaseNow} - ${refusedFor}`,
        )
        .run();
      return meta.changes;
    },
  };
}
