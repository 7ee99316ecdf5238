import { chainHash, emptyHash } from "../lib/audit-chain.ts";
import type { AuditEntry } from "../lib/audit-event.ts";
import { databaseNow, type Id } from "./database.ts";

const day = 86_400_000;
/** Writers of one workspace that meet: each try loses to one that won. */
const tries = 8;

interface Head {
  readonly seq: number;
  readonly hash: string;
  readonly now: number;
  readonly days: number;
}

export interface QueuedEvent {
  readonly id: number;
  readonly at: number;
  readonly type: string;
  readonly actor: string;
  readonly connection_id: string | null;
  readonly service: string | null;
  readonly detail: string;
}

interface NewEvent extends Omit<QueuedEvent, "id"> {
  readonly seq: number;
  readonly hash: string;
  readonly keepUntil: number;
}

export type Audit = ReturnType<typeof createAudit>;

/**
 * Appends to the audit log. `defaultDays` is how long events are kept where the workspace's plan does not say.
 *
 * An event's place in the chain is read first and taken in the operation's own batch: two writers that meet want the
 * same (workspace, seq), the second's batch is rolled back as a whole, and it tries again behind the first. So an
 * operation without its event does not happen, and no event tells of an operation that did not.
 */
export function createAudit(db: D1Database, defaultDays: number) {
  /** Where the chains of these workspaces end; each once. */
  const heads = async (workspaceIds: readonly Id[]): Promise<ReadonlyMap<Id, Head>> => {
    const { results } = await db
      .prepare(
        `SELECT k.value AS id, ${databaseNow} AS now, w.audit_days AS days, e.seq, e.hash, p.seq AS base_seq,
           p.hash AS base_hash
         FROM json_each(?1) k
         LEFT JOIN workspaces w ON w.id = k.value
         LEFT JOIN audit_checkpoints p ON p.workspace_id = k.value
         LEFT JOIN audit_events e ON e.workspace_id = k.value
           AND e.seq = (SELECT MAX(seq) FROM audit_events WHERE workspace_id = k.value)`,
      )
      .bind(JSON.stringify(workspaceIds))
      .all<{
        id: Id;
        now: number;
        days: number | null;
        seq: number | null;
        hash: string | null;
        base_seq: number | null;
        base_hash: string | null;
      }>();
    return new Map(
      results.map((row) => [
        row.id,
        {
          seq: row.seq ?? row.base_seq ?? 0,
          hash: row.hash ?? row.base_hash ?? emptyHash,
          now: row.now,
          days: row.days ?? defaultDays,
        },
      ]),
    );
  };

  const head = async (workspaceId: Id): Promise<Head> => headOf(await heads([workspaceId]), workspaceId);

  /** `changed`: only where the statement before it in the batch changed a row. */
  const insert = (workspaceId: Id, event: NewEvent, changed: boolean): D1PreparedStatement =>
    db
      .prepare(
        `INSERT INTO audit_events (workspace_id, seq, at, type, actor, connection_id, service, detail, keep_until, hash)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 ${changed ? "WHERE changes() > 0" : ""}`,
      )
      .bind(
        workspaceId,
        event.seq,
        event.at,
        event.type,
        event.actor,
        event.connection_id,
        event.service,
        event.detail,
        event.keepUntil,
        event.hash,
      );

  const chainThose = async (which: D1PreparedStatement): Promise<number> => {
    for (let at = 1; ; at += 1) {
      const { results: waiting } = await which.all<QueuedEvent & { readonly workspace_id: Id }>();
      if (waiting.length === 0) return 0;
      const ends = new Map(await heads([...new Set(waiting.map((event) => event.workspace_id))]));
      const inserts: D1PreparedStatement[] = [];
      for (const { id: _, workspace_id: workspaceId, ...event } of waiting) {
        const end = headOf(ends, workspaceId);
        const placed = await place(workspaceId, end, event);
        inserts.push(insert(workspaceId, placed, false));
        ends.set(workspaceId, { ...end, seq: placed.seq, hash: placed.hash });
      }
      const done = db
        .prepare("DELETE FROM audit_queue WHERE id IN (SELECT value FROM json_each(?1))")
        .bind(JSON.stringify(waiting.map((event) => event.id)));
      try {
        await db.batch([...inserts, done]);
        return waiting.length;
      } catch (error) {
        if (at === tries || !isTaken(error)) throw error;
      }
    }
  };

  return {
    /**
     * Runs the operation's statements and the event of it in one batch. The event is written where the **last** of
     * the statements changed a row. Answers the results of the statements.
     */
    async record<T>(
      workspaceId: Id,
      entry: AuditEntry,
      operation: readonly D1PreparedStatement[],
    ): Promise<readonly D1Result<T>[]> {
      for (let at = 1; ; at += 1) {
        const before = await head(workspaceId);
        const event = await place(workspaceId, before, plain(entry, before.now));
        try {
          const results = await db.batch<T>([...operation, insert(workspaceId, event, operation.length > 0)]);
          return results.slice(0, operation.length);
        } catch (error) {
          if (at === tries || !isTaken(error)) throw error;
        }
      }
    },

    /** A statement that leaves an event to be chained soon, for a batch of background work, after a conditional one. */
    queued(workspaceId: Id, entry: AuditEntry, changed: boolean): D1PreparedStatement {
      const event = plain(entry, 0);
      return db
        .prepare(
          `INSERT INTO audit_queue (workspace_id, at, type, actor, connection_id, service, detail)
           SELECT ?1, ${databaseNow}, ?2, ?3, ?4, ?5, ?6 ${changed ? "WHERE changes() > 0" : ""}`,
        )
        .bind(workspaceId, event.type, event.actor, event.connection_id, event.service, event.detail);
    },

    /**
     * As `queued`, for each workspace whose id the query `workspaces` answers as `id`; its parameters are numbered from
     * ?1. For work on many rows at once.
     */
    queuedForEach(
      entry: AuditEntry,
      workspaces: string,
      values: readonly (string | number)[],
    ): D1PreparedStatement {
      const event = plain(entry, 0);
      const at = values.length;
      return db
        .prepare(
          `INSERT INTO audit_queue (workspace_id, at, type, actor, connection_id, service, detail)
           SELECT owned.id, ${databaseNow}, ?${at + 1}, ?${at + 2}, ?${at + 3}, ?${at + 4}, ?${at + 5}
           FROM (${workspaces}) AS owned`,
        )
        .bind(...values, event.type, event.actor, event.connection_id, event.service, event.detail);
    },

    /** Leaves an event to be chained soon. */
    async enqueue(workspaceId: Id, entry: AuditEntry): Promise<void> {
      await this.queued(workspaceId, entry, false).run();
    },

    /** Workspaces with events that wait for their place in the chain. */
    async waiting(limit: number): Promise<readonly Id[]> {
      const { results } = await db
        .prepare("SELECT DISTINCT workspace_id AS id FROM audit_queue ORDER BY workspace_id LIMIT ?1")
        .bind(limit)
        .all<{ id: Id }>();
      return results.map((row) => row.id);
    },

    /** Chains up to `limit` waiting events of a workspace, oldest first; answers how many. */
    async chain(workspaceId: Id, limit: number): Promise<number> {
      return await chainThose(
        db
          .prepare(
            `SELECT id, workspace_id, at, type, actor, connection_id, service, detail FROM audit_queue
             WHERE workspace_id = ?1 ORDER BY id LIMIT ?2`,
          )
          .bind(workspaceId, limit),
      );
    },

    /** Chains up to `limit` waiting events, oldest first, of whichever workspaces they are; answers how many. */
    async chainOldest(limit: number): Promise<number> {
      return await chainThose(
        db
          .prepare(
            `SELECT id, workspace_id, at, type, actor, connection_id, service, detail FROM audit_queue
             ORDER BY id LIMIT ?1`,
          )
          .bind(limit),
      );
    },
  };
}

function headOf(heads: ReadonlyMap<Id, Head>, workspaceId: Id): Head {
  const head = heads.get(workspaceId);
  if (head === undefined) throw new Error("the database answered no row");
  return head;
}

async function place(workspaceId: Id, at: Head, event: Omit<QueuedEvent, "id">): Promise<NewEvent> {
  const seq = at.seq + 1;
  const hash = await chainHash(at.hash, { ...event, workspace_id: workspaceId, seq });
  return { ...event, seq, hash, keepUntil: event.at + at.days * day };
}

function plain(entry: AuditEntry, at: number): Omit<QueuedEvent, "id"> {
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
function isTaken(error: unknown): boolean {
  return error instanceof Error && /UNIQUE constraint failed: audit_events\./.test(error.message);
}
