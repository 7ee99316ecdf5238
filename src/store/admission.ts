import type { Connection } from "./connection.ts";
import { databaseNow } from "./database.ts";
import { flatPlanColumns, unflattenFacts, type FlatFacts, type SubscriptionFacts } from "./plan-columns.ts";

/** What one proxied request needs to know, in one read. */
export interface AdmissionRow extends Pick<
  Connection,
  | "id"
  | "workspace_id"
  | "service"
  | "storage"
  | "upstream_url"
  | "status"
  | "state"
  | "gen"
  | "blob_fence"
  | "access_expires_at"
  | "last_used_at"
  | "refused_since"
  | "unreachable_since"
  | "revocation"
> {
  readonly verifier: string;
  readonly retry_at: number;
  /** The sealed blob itself, in the first minutes after it was written. */
  readonly blob: string | null;
  readonly data_key_id: string | null;
  /** The data key wrapped under a master key that this deployment has loaded, if there is one. */
  readonly wrapped_data_key: string | null;
  /** What decides the plan; null where it was not asked for. */
  readonly plan: AdmissionPlan | null;
}

/** Of the workspace's plan, as `billing/entitlement` wants it. */
export interface AdmissionPlan {
  readonly since: number;
  readonly facts: SubscriptionFacts | null;
  readonly now: number;
}

export function createAdmission(db: D1Database) {
  return {
    /**
     * The one read of a proxied request. `fingerprints` are the loaded master keys: of a data key's wrappings, the
     * one that can be opened here is taken, and none other. `withPlan` joins what the plan follows from.
     */
    async admit(
      lookup: string,
      fingerprints: readonly string[],
      withPlan = false,
    ): Promise<AdmissionRow | null> {
      const wrapping =
        fingerprints.length === 0
          ? "NULL"
          : `(SELECT w.wrapped FROM data_key_wrappings w WHERE w.data_key_id = c.data_key_id
               AND w.fingerprint IN (${fingerprints.map((_, at) => `?${at + 2}`).join(", ")}) LIMIT 1)`;
      const planColumns = withPlan
        ? `, w.created_at AS since, ${databaseNow} AS now, ${flatPlanColumns}`
        : "";
      const planTables = withPlan
        ? "LEFT JOIN workspaces w ON w.id = c.workspace_id LEFT JOIN subscriptions s ON s.workspace_id = c.workspace_id"
        : "";
      const row = await db
        .prepare(
          `SELECT c.id, c.workspace_id, c.service, c.storage, c.upstream_url, c.status, c.state, c.gen, c.blob_fence,
             c.retry_at, c.access_expires_at, c.last_used_at, c.refused_since,
             c.unreachable_since, c.revocation, c.verifier, c.blob, c.data_key_id,
             ${wrapping} AS wrapped_data_key${planColumns}
           FROM connections c ${planTables} WHERE c.lookup = ?1`,
        )
        .bind(lookup, ...fingerprints)
        .first<Omit<AdmissionRow, "plan"> & FlatFacts & { readonly since: number; readonly now: number }>();
      if (row === null) return null;
      const { since, now } = row;
      return { ...row, plan: withPlan ? { since, now, facts: unflattenFacts(row) } : null };
    },
  };
}
