import { chainHash, emptyHash, type ChainedEvent } from "../lib/audit-chain.ts";
import type { AuditEntry } from "../lib/audit-event.ts";
import { day } from "../lib/clock.ts";
import { databaseNow, type Id } from "./database.ts";

/** Writers of one workspace that meet: each try loses to one that won. */
export const tries = 30;

/** Those that lost wait for a different time each, so that they do not all meet again. */
export async function standBack(at: number): Promise<void> {
  const longest = Math.min(10 * at, 150);
  await new Promise((resolve) => setTimeout(resolve, Math.random() * longest));
}

/** Where a workspace's chain ends. */
export interface Head {
  readonly id: Id;
  readonly seq: number;
  readonly hash: string;
  readonly now: number;
  /** Days that its events are kept; null: as the deployment says. */
  readonly days: number | null;
}

/** An event without its place in a chain. */
export type PlainEvent = Omit<ChainedEvent, "workspace_id" | "seq">;

export interface PlacedEvent extends ChainedEvent {
  readonly hash: string;
  readonly keep_until: number;
}

/** The ends of the chains of the workspaces that the query `workspaces` answers as `id`, each once. */
export function headsQuery(workspaces: string): string {
  return `SELECT owned.id, ${databaseNow} AS now, w.audit_days AS days, COALESCE(e.seq, p.seq, 0) AS seq,
      COALESCE(e.hash, p.hash, '${emptyHash}') AS hash
    FROM (${workspaces}) AS owned
    LEFT JOIN workspaces w ON w.id = owned.id
    LEFT JOIN audit_checkpoints p ON p.workspace_id = owned.id
    LEFT JOIN audit_events e ON e.workspace_id = owned.id
      AND e.seq = (SELECT MAX(seq) FROM audit_events WHERE workspace_id = owned.id)`;
}

/** Binds an event to the end of a chain. `days`: where the workspace's plan does not say how long it is kept. */
export async function place(head: Head, event: PlainEvent, days: number): Promise<PlacedEvent> {
  const placed = { ...event, workspace_id: head.id, seq: head.seq + 1 };
  const hash = await chainHash(head.hash, placed);
  return { ...placed, hash, keep_until: event.at + (head.days ?? days) * day };
}

/** One statement however many events. `changed`: only where the statement before it in the batch changed a row. */
export function insertPlaced(
  db: D1Database,
  events: readonly PlacedEvent[],
  changed: boolean,
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO audit_events (workspace_id, seq, at, type, actor, connection_id, service, detail, keep_until, hash)
       SELECT value ->> 'workspace_id', value ->> 'seq', value ->> 'at', value ->> 'type', value ->> 'actor',
         value ->> 'connection_id', value ->> 'service', value ->> 'detail', value ->> 'keep_until', value ->> 'hash'
       FROM json_each(?1) ${changed ? "WHERE changes() > 0" : ""}`,
    )
    .bind(JSON.stringify(events));
}

export function plain(entry: AuditEntry, at: number): PlainEvent {
  return {
    at,
    type: entry.type,
    actor: entry.actor,
    connection_id: entry.connection ?? null,
    service: entry.service ?? null,
    detail: JSON.stringify(entry.detail ?? {}),
  };
}

/** Somebody else's event took the place in the chain. */
export function isTaken(error: unknown): boolean {
  return error instanceof Error && /UNIQUE constraint failed: audit_events\./.test(error.message);
}
