import { databaseNow, type Id } from "./database.ts";

/** What calls of one connection added up to. */
export interface Counts {
  readonly requests: number;
  readonly errors: number;
  /** Declared lengths of answers; a stream declares none. */
  readonly bytes: number;
  /** Time until the answers began, ms, summed. */
  readonly duration_ms: number;
}

export interface UsageDay extends Counts {
  /** Days since the epoch, UTC. */
  readonly day: number;
  readonly refreshes: number;
}

export type Signal = "refused_since" | "unreachable_since";

export type Usage = ReturnType<typeof createUsage>;

export function createUsage(db: D1Database) {
  return {
    /** Adds what an isolate counted: one statement for all. A connection that is gone is left out. */
    async add(counted: readonly (Counts & { readonly id: Id; readonly day: number })[]): Promise<void> {
      await db
        .prepare(
          `INSERT INTO usage_days (connection_id, day, requests, errors, bytes, duration_ms)
           SELECT c.id, counted.value ->> 'day', counted.value ->> 'requests', counted.value ->> 'errors',
             counted.value ->> 'bytes', counted.value ->> 'duration_ms'
           FROM json_each(?1) AS counted CROSS JOIN connections c ON c.id = counted.value ->> 'id'
           WHERE true
           ON CONFLICT (connection_id, day) DO UPDATE SET requests = requests + excluded.requests,
             errors = errors + excluded.errors, bytes = bytes + excluded.bytes,
             duration_ms = duration_ms + excluded.duration_ms`,
        )
        .bind(JSON.stringify(counted))
        .run();
    },

    /** The last `days` days with any use, oldest first. `today` is the database's. */
    async days(
      connectionId: Id,
      days: number,
    ): Promise<{ readonly today: number; readonly used: readonly UsageDay[] }> {
      const today = `${databaseNow} / 86400000`;
      const [clock, used] = await db.batch<UsageDay>([
        db.prepare(`SELECT ${today} AS day`),
        db
          .prepare(
            `SELECT day, requests, errors, refreshes, bytes, duration_ms FROM usage_days
             WHERE connection_id = ?1 AND day > ${today} - ?2 ORDER BY day`,
          )
          .bind(connectionId, days),
      ]);
      return { today: clock?.results[0]?.day ?? 0, used: used?.results ?? [] };
    },

    /** What calls showed of the service, written where it changed; null clears both signals. */
    async signal(id: Id, signal: Signal | null): Promise<void> {
      const statement =
        signal === null
          ? db.prepare(
              `UPDATE connections SET refused_since = NULL, unreachable_since = NULL
               WHERE id = ?1 AND (refused_since IS NOT NULL OR unreachable_since IS NOT NULL)`,
            )
          : db.prepare(
              `UPDATE connections SET ${signal} = ${databaseNow} WHERE id = ?1 AND ${signal} IS NULL`,
            );
      await statement.bind(id).run();
    },

    /** It answered, whatever it thinks of the credential. */
    async answered(id: Id): Promise<void> {
      await db
        .prepare(
          "UPDATE connections SET unreachable_since = NULL WHERE id = ?1 AND unreachable_since IS NOT NULL",
        )
        .bind(id)
        .run();
    },

    /** Days further back than `days`. */
    async purge(days: number): Promise<number> {
      const { meta } = await db
        .prepare(`DELETE FROM usage_days WHERE day < ${databaseNow} / 86400000 - ?1`)
        .bind(days)
        .run();
      return meta.changes;
    },
  };
}
