import { day, hour } from "../lib/clock.ts";
import { publicColumns, type Connection, type RevocationState, type StorageMode } from "./connection.ts";
import { databaseNow, type Id } from "./database.ts";
import { connectionEvent } from "./grant-event.ts";

/** A grant that its provider was asked to revoke, in vain so far. */
export interface WaitingRevocation {
  readonly id: Id;
  readonly storage: StorageMode;
  /** When it was last tried. */
  readonly revocation_at: number;
  /** The authorization server, for keeping apart those that fail. */
  readonly issuer: string | null;
  /** How long ago the connection was disconnected, ms. */
  readonly age: number;
}

const open: readonly RevocationState[] = ["pending", "awaiting_credential"];

export type Revocations = ReturnType<typeof createRevocations>;

export function createRevocations(db: D1Database) {
  return {
    /**
     * Records what became of a revocation; `from` makes one of several that try the winner, and `gen` (null: any) keeps
     * what came of one grant from being said of another. What nobody will open any more goes, and an outcome that stays
     * is on record.
     */
    async set(
      id: Id,
      from: RevocationState,
      to: RevocationState,
      gen: number | null,
    ): Promise<Connection | null> {
      const change = db
        .prepare(
          `UPDATE connections SET revocation = ?3, revocation_at = ${databaseNow},
             blob = CASE WHEN ?3 IN ('pending', 'awaiting_credential') THEN blob END
           WHERE id = ?1 AND status = 'disconnected' AND revocation = ?2 AND (?4 IS NULL OR gen = ?4)
           RETURNING ${publicColumns}`,
        )
        .bind(id, from, to, gen);
      const event = connectionEvent(db, id, "provider_revocation", { outcome: to });
      const [changed] = await db.batch<Connection>(open.includes(to) ? [change] : [change, event]);
      return changed?.results[0] ?? null;
    },

    /**
     * Revocations to try again: an hour after the last try at the earliest, and else after half of the time that they
     * have been tried, a day at most. So waits grow without a counter.
     */
    async waiting(limit: number): Promise<readonly WaitingRevocation[]> {
      const { results } = await db
        .prepare(
          `SELECT id, storage, issuer, revocation_at, ${databaseNow} - disconnected_at AS age FROM connections
           WHERE revocation = 'pending' AND revocation_at <= ${databaseNow} - ${hour}
             AND revocation_at + MIN((revocation_at - disconnected_at) / 2, ${day}) <= ${databaseNow}
           ORDER BY revocation_at, id LIMIT ?1`,
        )
        .bind(limit)
        .all<WaitingRevocation>();
      return results;
    },

    /** Takes one for a try: of several runs at once, one gets it. */
    async claim(row: Pick<WaitingRevocation, "id" | "revocation_at">): Promise<boolean> {
      const claimed = await db
        .prepare(
          `UPDATE connections SET revocation_at = ${databaseNow}
           WHERE id = ?1 AND revocation = 'pending' AND revocation_at = ?2 RETURNING id`,
        )
        .bind(row.id, row.revocation_at)
        .first();
      return claimed !== null;
    },
  };
}
