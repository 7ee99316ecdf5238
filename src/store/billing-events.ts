import { databaseNow, type Id } from "./database.ts";

/** An event of Stripe's as it is kept: ids and states, nothing of a payment. */
export interface BillingEvent {
  readonly id: string;
  readonly type: string;
  readonly object_id: string | null;
  /** Stripe's time, ms since the epoch. */
  readonly created_at: number;
}

/** How long the ids and states of events are kept, ms. */
const keptFor = 90 * 86_400_000;

export type BillingEvents = ReturnType<typeof createBillingEvents>;

export function createBillingEvents(db: D1Database) {
  return {
    async has(id: string): Promise<boolean> {
      return (await db.prepare("SELECT 1 FROM billing_events WHERE id = ?1").bind(id).first()) !== null;
    },

    /** Deletes what is older than 90 days. Answers how many. */
    async purge(): Promise<number> {
      const { meta } = await db
        .prepare(`DELETE FROM billing_events WHERE received_at < ${databaseNow} - ?1`)
        .bind(keptFor)
        .run();
      return meta.changes;
    },

    /** For the erasure of an account. */
    async forget(workspaceId: Id): Promise<void> {
      await db.prepare("DELETE FROM billing_events WHERE workspace_id = ?1").bind(workspaceId).run();
    },
  };
}
