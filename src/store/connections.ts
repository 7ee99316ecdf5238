import type { AuditActor, AuditEntry } from "../lib/audit-event.ts";
import { Fault } from "../lib/fault.ts";
import type { Audit } from "./audit.ts";
import { createAdmission } from "./admission.ts";
import { createBlobCopies } from "./blob-copies.ts";
import {
  publicColumns,
  type Connection,
  type ConnectionKind,
  type RevocationState,
  type StorageMode,
} from "./connection.ts";
import { databaseNow, type Id, type Page } from "./database.ts";
import { nextCheck, type TokenFacts } from "./grant-row.ts";

export interface NewConnection {
  readonly id: Id;
  readonly workspace_id: Id;
  readonly service: string;
  readonly label: string;
  readonly kind: ConnectionKind;
  readonly storage: StorageMode;
  readonly upstream_url: string;
  readonly lookup: string;
  readonly verifier: string;
  readonly data_key_id: string | null;
  readonly blob: string;
  readonly issuer: string | null;
  readonly facts: TokenFacts;
}

export type Connections = ReturnType<typeof createConnections>;

export function createConnections(db: D1Database, audit: Pick<Audit, "record">) {
  /** A person's operation on one connection, with its event in the same batch. */
  const recorded = async (
    workspaceId: Id,
    entry: AuditEntry,
    statement: D1PreparedStatement,
  ): Promise<Connection | null> => {
    const [result] = await audit.record<Connection>(workspaceId, entry, [statement]);
    return result?.results[0] ?? null;
  };

  return {
    ...createAdmission(db),
    ...createBlobCopies(db),

    /**
     * Inserts at generation 1 with the sealed blob in the row: the one durable step of connecting. Refused for an
     * account that is being deleted, whatever was admitted before: nobody would revoke what came in behind the deletion.
     */
    async insert(row: NewConnection, actor: AuditActor): Promise<Connection> {
      const statement = db
        .prepare(
          `INSERT INTO connections (id, workspace_id, service, label, kind, storage, upstream_url, status, lookup,
             verifier, data_key_id, blob, issuer, access_expires_at, refreshable, scope, due_at, created_at, authorized_at)
           SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, 'active', ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,
             CASE WHEN ?6 = 'managed' THEN COALESCE(?16, ${nextCheck}) END, ${databaseNow}, ${databaseNow}
           FROM workspaces WHERE id = ?2 AND erasing_at IS NULL
           RETURNING ${publicColumns}`,
        )
        .bind(
          row.id,
          row.workspace_id,
          row.service,
          row.label,
          row.kind,
          row.storage,
          row.upstream_url,
          row.lookup,
          row.verifier,
          row.data_key_id,
          row.blob,
          row.issuer,
          row.facts.access_expires_at,
          row.facts.refreshable ? 1 : 0,
          row.facts.scope,
          row.facts.due_at,
        );
      const { id: connection, service, kind, storage } = row;
      const entry = {
        type: "connection_created",
        actor,
        connection,
        service,
        detail: { kind, storage },
      } as const;
      const inserted = await recorded(row.workspace_id, entry, statement);
      if (inserted === null) throw new Fault("account_erasing");
      return inserted;
    },

    async get(workspaceId: Id, id: Id): Promise<Connection | null> {
      return await db
        .prepare(`SELECT ${publicColumns} FROM connections WHERE id = ?1 AND workspace_id = ?2`)
        .bind(id, workspaceId)
        .first<Connection>();
    },

    /** Newest first, by keyset: stable while others are inserted. `cursor` is what the page before gave. */
    async list(
      workspaceId: Id,
      limit: number,
      cursor: { createdAt: number; id: Id } | null,
    ): Promise<Page<Connection>> {
      const { results } = await db
        .prepare(
          `SELECT ${publicColumns} FROM connections
           WHERE workspace_id = ?1 AND (created_at, id) < (?2, ?3)
           ORDER BY created_at DESC, id DESC LIMIT ?4`,
        )
        .bind(workspaceId, cursor?.createdAt ?? Number.MAX_SAFE_INTEGER, cursor?.id ?? "", limit + 1)
        .all<Connection>();
      const items = results.slice(0, limit);
      const last = items.at(-1);
      return { items, nextCursor: results.length > limit && last ? `${last.created_at}.${last.id}` : null };
    },

    async setLabel(workspaceId: Id, id: Id, label: string, actor: AuditActor): Promise<Connection | null> {
      const statement = db
        .prepare(
          `UPDATE connections SET label = ?3 WHERE id = ?1 AND workspace_id = ?2 RETURNING ${publicColumns}`,
        )
        .bind(id, workspaceId, label);
      return await recorded(workspaceId, { type: "connection_renamed", actor, connection: id }, statement);
    },

    /**
     * From the moment this returns, no admission finds the connection active. `keepBlob` leaves the sealed grant for
     * its revocation; without it the blob goes too.
     */
    async disconnect(
      workspaceId: Id,
      id: Id,
      revocation: RevocationState,
      keepBlob: boolean,
      by: { readonly actor: AuditActor; readonly service: string },
    ): Promise<Connection | null> {
      const statement = db
        .prepare(
          `UPDATE connections SET status = 'disconnected', disconnected_at = ${databaseNow}, revocation = ?3,
             revocation_at = ${databaseNow}, due_at = NULL, blob = CASE WHEN ?4 THEN blob END
           WHERE id = ?1 AND workspace_id = ?2 AND status != 'disconnected' RETURNING ${publicColumns}`,
        )
        .bind(id, workspaceId, revocation, keepBlob ? 1 : 0);
      const entry = {
        type: "connection_disconnected",
        connection: id,
        detail: { revocation },
        ...by,
      } as const;
      return await recorded(workspaceId, entry, statement);
    },

    /** Another live connection of the workspace at this issuer, which a revocation of the whole app would end. */
    async hasSibling(workspaceId: Id, id: Id, issuer: string): Promise<boolean> {
      const row = await db
        .prepare(
          `SELECT 1 FROM connections WHERE workspace_id = ?1 AND issuer = ?3 AND id != ?2 AND status != 'disconnected'
           LIMIT 1`,
        )
        .bind(workspaceId, id, issuer)
        .first();
      return row !== null;
    },

    /** `last_used_at`, at most one write per connection in `interval` ms however many isolates ask. */
    async touch(id: Id, interval: number): Promise<void> {
      await db
        .prepare(
          `UPDATE connections SET last_used_at = ${databaseNow}
           WHERE id = ?1 AND (last_used_at IS NULL OR last_used_at < ${databaseNow} - ?2)`,
        )
        .bind(id, interval)
        .run();
    },

    /** Which of these (at most 90: D1 binds 100) are still active. */
    async activeAmong(ids: readonly Id[]): Promise<ReadonlySet<Id>> {
      const { results } = await db
        .prepare(
          `SELECT id FROM connections WHERE status = 'active' AND id IN (${ids.map((_, at) => `?${at + 1}`).join(", ")})`,
        )
        .bind(...ids)
        .all<{ id: Id }>();
      return new Set(results.map((row) => row.id));
    },
  };
}
