import { databaseNow, type Id } from "./database.ts";

/** How long a nonce may be used, ms. */
const nonceLife = 600_000;
/** Messages of one person in this time, ms, are counted. */
const countedFor = 86_400_000;
export const messagesPerDay = 5;
/** Unused nonces of one person, at most: asking for more lets go of the oldest. */
const unusedPerUser = 10;

/** `limit`: `wait` ms until one more may be sent. */
export type Taken =
  | { readonly outcome: "taken" | "unknown" }
  | { readonly outcome: "limit"; readonly wait: number };

export type SupportNonces = ReturnType<typeof createSupportNonces>;

/** Leave to send one message. Nonces are kept as hashes, and nothing of a message is kept at all. */
export function createSupportNonces(db: D1Database) {
  return {
    /** Returns when the nonce ends, ms. */
    async issue(userId: Id, nonceHash: string): Promise<number> {
      const [inserted] = await db.batch<{ expires_at: number }>([
        db
          .prepare(
            `INSERT INTO support_nonces (nonce_hash, user_id, expires_at)
             VALUES (?1, ?2, ${databaseNow} + ${nonceLife}) RETURNING expires_at`,
          )
          .bind(nonceHash, userId),
        db
          .prepare(
            `DELETE FROM support_nonces WHERE nonce_hash IN (
               SELECT nonce_hash FROM support_nonces WHERE user_id = ?1 AND used_at IS NULL
               ORDER BY expires_at DESC LIMIT -1 OFFSET ${unusedPerUser})`,
          )
          .bind(userId),
      ]);
      const row = inserted?.results[0];
      if (row === undefined) throw new Error("the database returned no inserted nonce");
      return row.expires_at;
    },

    /** Takes a nonce, once, and only for the person it was given to; beyond the limit it stays as it is. */
    async take(userId: Id, nonceHash: string): Promise<Taken> {
      const counted = `user_id = ?1 AND used_at > ${databaseNow} - ${countedFor}`;
      const [used, taken] = await db.batch<{ sent: number; wait: number | null }>([
        db
          .prepare(
            `SELECT COUNT(*) AS sent, MIN(used_at) + ${countedFor} - ${databaseNow} AS wait
             FROM support_nonces WHERE ${counted}`,
          )
          .bind(userId),
        db
          .prepare(
            `UPDATE support_nonces SET used_at = ${databaseNow}
             WHERE nonce_hash = ?2 AND user_id = ?1 AND used_at IS NULL AND expires_at > ${databaseNow}
               AND (SELECT COUNT(*) FROM support_nonces WHERE ${counted}) < ${messagesPerDay}
             RETURNING 0 AS sent, NULL AS wait`,
          )
          .bind(userId, nonceHash),
      ]);
      if (taken?.results.length === 1) return { outcome: "taken" };
      const { sent = 0, wait = null } = used?.results[0] ?? {};
      return sent >= messagesPerDay ? { outcome: "limit", wait: wait ?? countedFor } : { outcome: "unknown" };
    },

    /** The message was not sent, and does not count; its nonce stays spent. */
    async forget(userId: Id, nonceHash: string): Promise<void> {
      await db
        .prepare("DELETE FROM support_nonces WHERE nonce_hash = ?2 AND user_id = ?1")
        .bind(userId, nonceHash)
        .run();
    },

    /** A nonce is used before it ends, so a day after that it is counted no more. */
    async purge(): Promise<number> {
      const { meta } = await db
        .prepare(`DELETE FROM support_nonces WHERE expires_at < ${databaseNow} - ${countedFor}`)
        .run();
      return meta.changes;
    },
  };
}
