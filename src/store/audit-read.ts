import { emptyHash, type ChainedEvent } from "../lib/audit-chain.ts";
import type { Id, Page } from "./database.ts";

export interface AuditRow extends Omit<ChainedEvent, "workspace_id"> {
  readonly hash: string;
}

/** A place in the chain. Seq 0 with an empty hash is before the first event. */
export interface ChainPlace {
  readonly seq: number;
  readonly hash: string;
}

export interface EventFilter {
  readonly type: string | null;
  readonly connection: string | null;
  /** ms, inclusive. */
  readonly from: number;
  /** ms, exclusive. */
  readonly to: number;
}

const columns = "seq, at, type, actor, connection_id, service, detail, hash";

export type AuditRead = ReturnType<typeof createAuditRead>;

export function createAuditRead(db: D1Database) {
  return {
    /** Newest first by time, by keyset: stable while events are added. */
    async list(
      workspaceId: Id,
      filter: EventFilter,
      cursor: { readonly at: number; readonly seq: number } | null,
      limit: number,
    ): Promise<Page<AuditRow>> {
      const index =
        filter.connection !== null
          ? "audit_events_by_connection"
          : filter.type !== null
            ? "audit_events_by_type"
            : "audit_events_by_time";
      const wanted = [
        ...(filter.connection === null ? [] : [["connection_id", filter.connection]]),
        ...(filter.type === null ? [] : [["type", filter.type]]),
      ] as const;
      const { results } = await db
        .prepare(
          `SELECT ${columns} FROM audit_events INDEXED BY ${index}
           WHERE workspace_id = ?1 AND at >= ?2 AND at <= ?3 AND NOT (at = ?4 AND seq >= ?5)
             ${wanted.map(([column], at) => `AND ${column} = ?${at + 7}`).join(" ")}
           ORDER BY at DESC, seq DESC LIMIT ?6`,
        )
        .bind(
          workspaceId,
          filter.from,
          // One bound for both, which the index can begin at.
          Math.min(filter.to - 1, cursor?.at ?? Number.MAX_SAFE_INTEGER),
          cursor?.at ?? -1,
          cursor?.seq ?? 0,
          limit + 1,
          ...wanted.map(([, value]) => value),
        )
        .all<AuditRow>();
      const items = results.slice(0, limit);
      const last = items.at(-1);
      return { items, nextCursor: results.length > limit && last ? `${last.at}.${last.seq}` : null };
    },

    /**
     * The next events of the chain, and its two ends, as of one moment: a purge that moves the checkpoint in between
     * would look like a gap.
     */
    async follow(
      workspaceId: Id,
      after: number,
      limit: number,
    ): Promise<{
      readonly checkpoint: ChainPlace;
      readonly head: ChainPlace;
      readonly events: readonly AuditRow[];
    }> {
      const [checkpoint, head, events] = await db.batch<AuditRow>([
        db.prepare("SELECT seq, hash FROM audit_checkpoints WHERE workspace_id = ?1").bind(workspaceId),
        db
          .prepare("SELECT seq, hash FROM audit_events WHERE workspace_id = ?1 ORDER BY seq DESC LIMIT 1")
          .bind(workspaceId),
        db
          .prepare(
            `SELECT ${columns} FROM audit_events WHERE workspace_id = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3`,
          )
          .bind(workspaceId, after, limit),
      ]);
      const { seq = 0, hash = emptyHash } = checkpoint?.results[0] ?? {};
      const end = head?.results[0];
      return {
        checkpoint: { seq, hash },
        head: end === undefined ? { seq, hash } : { seq: end.seq, hash: end.hash },
        events: events?.results ?? [],
      };
    },

    /** The hash of one event as it is stored. */
    async hashAt(workspaceId: Id, seq: number): Promise<string | null> {
      return await db
        .prepare("SELECT hash FROM audit_events WHERE workspace_id = ?1 AND seq = ?2")
        .bind(workspaceId, seq)
        .first<string>("hash");
    },

    /** How long this workspace's events are kept where its plan says, days. */
    async days(workspaceId: Id): Promise<number | null> {
      return await db
        .prepare("SELECT audit_days FROM workspaces WHERE id = ?1")
        .bind(workspaceId)
        .first<number>("audit_days");
    },
  };
}
