import type { LogLevel } from "../lib/log.ts";

export interface StoredLine {
  readonly id: number;
  readonly level: LogLevel;
  readonly line: string;
}

export type LogEvents = ReturnType<typeof createLogEvents>;

/** Lines of invocations that may not write to the console, because the platform would attach their URL. */
export function createLogEvents(db: D1Database) {
  return {
    async insert(lines: readonly Omit<StoredLine, "id">[], at: number): Promise<void> {
      const statement = db.prepare("INSERT INTO log_events (at, level, line) VALUES (?1, ?2, ?3)");
      await db.batch(lines.map((entry) => statement.bind(at, entry.level, entry.line)));
    },

    async oldest(limit: number): Promise<readonly StoredLine[]> {
      const { results } = await db
        .prepare("SELECT id, level, line FROM log_events ORDER BY id LIMIT ?1")
        .bind(limit)
        .all<StoredLine>();
      return results;
    },

    async deleteUpTo(id: number): Promise<void> {
      await db.prepare("DELETE FROM log_events WHERE id <= ?1").bind(id).run();
    },
  };
}
