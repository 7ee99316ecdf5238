import { databaseNow, type Id } from "./database.ts";

/** How long a repeat is recognised, ms. */
const keptFor = 86_400_000;

export interface EarlierRequest {
  readonly request_hash: string;
  readonly created_at: number;
  readonly finished_at: number | null;
  readonly created_id: Id | null;
  readonly status: number | null;
  readonly answer: string | null;
  readonly now: number;
}

export interface Finished {
  /** What was created: `con_…`, `tok_…`. */
  readonly createdId: Id | null;
  readonly status: number;
  /** The body, where it holds no secret. */
  readonly answer: string | null;
}

export type Idempotency = ReturnType<typeof createIdempotency>;

/** Requests with an Idempotency-Key. Keys and requests are kept as hashes: a body may hold a service's key. */
export function createIdempotency(db: D1Database) {
  return {
    /** Null where this is the first request with the key, which is noted; else what became of the first. */
    async begin(userId: Id, keyHash: string, requestHash: string): Promise<EarlierRequest | null> {
      const [, inserted, earlier] = await db.batch<EarlierRequest>([
        db
          .prepare(
            `DELETE FROM idempotency_keys WHERE user_id = ?1 AND key_hash = ?2 AND created_at < ${databaseNow} - ${keptFor}`,
          )
          .bind(userId, keyHash),
        db
          .prepare(
            `INSERT INTO idempotency_keys (user_id, key_hash, request_hash, created_at)
             VALUES (?1, ?2, ?3, ${databaseNow}) ON CONFLICT DO NOTHING RETURNING created_at`,
          )
          .bind(userId, keyHash, requestHash),
        db
          .prepare(
            `SELECT request_hash, created_at, finished_at, created_id, status, answer, ${databaseNow} AS now
             FROM idempotency_keys WHERE user_id = ?1 AND key_hash = ?2`,
          )
          .bind(userId, keyHash),
      ]);
      if (inserted === undefined || inserted.results.length > 0) return null;
      return earlier?.results[0] ?? null;
    },

    async finish(userId: Id, keyHash: string, { createdId, status, answer }: Finished): Promise<void> {
      await db
        .prepare(
          `UPDATE idempotency_keys SET finished_at = ${databaseNow}, created_id = ?3, status = ?4, answer = ?5
           WHERE user_id = ?1 AND key_hash = ?2`,
        )
        .bind(userId, keyHash, createdId, status, answer)
        .run();
    },

    /** The request changed nothing: it may be sent again. */
    async forget(userId: Id, keyHash: string): Promise<void> {
      await db
        .prepare("DELETE FROM idempotency_keys WHERE user_id = ?1 AND key_hash = ?2 AND finished_at IS NULL")
        .bind(userId, keyHash)
        .run();
    },

    async purge(): Promise<number> {
      const { meta } = await db
        .prepare(`DELETE FROM idempotency_keys WHERE created_at < ${databaseNow} - ${keptFor}`)
        .run();
      return meta.changes;
    },
  };
}
