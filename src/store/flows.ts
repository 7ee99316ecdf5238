import type { Id } from "./database.ts";
import { databaseNow } from "./database.ts";

/** How long a person may take at the provider, ms. */
const flowLife = 600_000;

export interface FlowRow {
  readonly workspace_id: Id;
  readonly data_key_id: string;
  readonly sealed: string;
}

export type Flows = ReturnType<typeof createFlows>;

/** Sign-ins on their way. `stateHash` is the SHA-256 of the state, so that a dump finishes no flow. */
export function createFlows(db: D1Database) {
  return {
    async insert(
      flow: FlowRow & { readonly state_hash: string; readonly user_id: Id; readonly return_to: string },
    ): Promise<number> {
      const row = await db
        .prepare(
          `INSERT INTO flows (state_hash, user_id, workspace_id, data_key_id, sealed, return_to, created_at, expires_at)
           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ${databaseNow}, ${databaseNow} + ${flowLife}) RETURNING expires_at`,
        )
        .bind(flow.state_hash, flow.user_id, flow.workspace_id, flow.data_key_id, flow.sealed, flow.return_to)
        .first<{ expires_at: number }>();
      if (row === null) throw new Error("the database returned no inserted flow");
      return row.expires_at;
    },

    /** Takes a flow out, once, and only for the user who began it: nobody else can finish or even end it. */
    async take(stateHash: string, userId: Id): Promise<FlowRow | null> {
      return await db
        .prepare(
          `DELETE FROM flows WHERE state_hash = ?1 AND user_id = ?2 AND expires_at > ${databaseNow}
           RETURNING workspace_id, data_key_id, sealed`,
        )
        .bind(stateHash, userId)
        .first<FlowRow>();
    },

    /** Where the page that began a flow is, for handing the provider's answer on. */
    async returnTo(stateHash: string): Promise<string | null> {
      return await db
        .prepare(`SELECT return_to FROM flows WHERE state_hash = ?1 AND expires_at > ${databaseNow}`)
        .bind(stateHash)
        .first<string>("return_to");
    },

    async deleteExpired(): Promise<number> {
      const { meta } = await db.prepare(`DELETE FROM flows WHERE expires_at <= ${databaseNow}`).run();
      return meta.changes;
    },
  };
}
