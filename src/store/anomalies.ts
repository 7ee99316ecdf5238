import { compared, floors, refusedShare, silence, type Anomaly, type DayOfUse } from "../lib/anomaly.ts";
import { databaseNow, type Id } from "./database.ts";

export interface SuspectDay extends DayOfUse {
  readonly id: Id;
  /** Days since the epoch, UTC. */
  readonly day: number;
  /** The kinds that its owner was told of, comma-joined. */
  readonly told: string;
}

export interface SuspectPage {
  readonly suspects: readonly SuspectDay[];
  /** The last connection of the page; null on the last page. */
  readonly next: Id | null;
}

export interface Finding {
  readonly suspect: Pick<SuspectDay, "id" | "day" | "told">;
  readonly anomalies: readonly Anomaly[];
}

export type Anomalies = ReturnType<typeof createAnomalies>;

/** The day that is looked at, until two hours after its end: its last calls are written a little later. */
const lookedAt = `((${databaseNow} - 7200000) / 86400000)`;
/** The days that `d` is compared with, of the same connection. */
const before = (days: number): string =>
  `FROM usage_days b WHERE b.connection_id = d.connection_id AND b.day >= d.day - ${days} AND b.day < d.day`;
const silentBefore = `NOT EXISTS (SELECT 1 ${before(silence - 1)} AND b.requests > 0)`;

/** Days of use that may be unusual, and what is told of those that are. Where mail is not `enabled` none is queued. */
export function createAnomalies(db: D1Database, enabled: boolean) {
  return {
    /** Looks at up to `limit` connections that were used that day, behind `after`; answers those worth comparing. */
    async suspects(after: Id, limit: number): Promise<SuspectPage> {
      const used = `FROM usage_days WHERE day = ${lookedAt} AND connection_id > ?1 ORDER BY connection_id`;
      const [suspects, ends] = await db.batch<SuspectDay>([
        db
          .prepare(
            `SELECT d.connection_id AS id, d.day, d.told, d.requests, d.errors, d.refreshes,
               (${databaseNow} - MAX(c.created_at, COALESCE(c.authorized_at, 0))) / 86400000 AS age,
               COALESCE((SELECT MAX(b.requests) ${before(compared)}), 0) AS busiest_requests,
               COALESCE((SELECT MAX(b.refreshes) ${before(compared)}), 0) AS busiest_refreshes,
               EXISTS (SELECT 1 ${before(compared)} AND b.errors >= ${floors.errors}
                 AND b.errors * 100 > b.requests * ${refusedShare}) AS refused_before,
               c.unreachable_since IS NOT NULL OR c.state = 'reauth' AS explained,
               ${silentBefore} AS silent_before
             FROM (SELECT connection_id, day ${used} LIMIT ?2) page
             CROSS JOIN usage_days d ON d.connection_id = page.connection_id AND d.day = page.day
             CROSS JOIN connections c ON c.id = d.connection_id
             WHERE c.status = 'active' AND (d.requests >= ${floors.requests} OR d.errors >= ${floors.errors}
               OR d.refreshes >= ${floors.refreshes} OR (d.requests > 0 AND ${silentBefore}))`,
          )
          .bind(after, limit),
        db.prepare(`SELECT connection_id AS id ${used} LIMIT 1 OFFSET ?2 - 1`).bind(after, limit),
      ]);
      return { suspects: suspects?.results ?? [], next: ends?.results[0]?.id ?? null };
    },

    /**
     * An event and a mail for each, and a note that they were told, in one batch: a run that dies has told nothing or
     * all of it, and of two that meet the second finds the first's note. Answers how many were told.
     */
    async tell(findings: readonly Finding[]): Promise<number> {
      const json = JSON.stringify(
        findings.map(({ suspect: { id, day, told }, anomalies }) => ({
          id,
          day,
          told,
          now_told: [...told.split(",").filter(Boolean), ...anomalies.map(({ kind }) => kind)].join(","),
          found: anomalies.map(({ kind, numbers }) => ({
            kind,
            detail: JSON.stringify({ kind, ...numbers }),
          })),
        })),
      );
      const untold = `json_each(?1) AS finding CROSS JOIN usage_days d
        ON d.connection_id = finding.value ->> 'id' AND d.day = finding.value ->> 'day'
        AND d.told = finding.value ->> 'told'`;
      const each = `${untold} CROSS JOIN json_each(finding.value -> 'found') AS one
        CROSS JOIN connections c ON c.id = d.connection_id`;
      const [events] = await db.batch([
        db
          .prepare(
            `INSERT INTO audit_queue (workspace_id, at, type, actor, connection_id, service, detail)
             SELECT c.workspace_id, ${databaseNow}, 'anomaly', 'system', c.id, c.service, one.value ->> 'detail'
             FROM ${each}`,
          )
          .bind(json),
        db
          .prepare(
            `INSERT INTO mail_queue (occasion, kind, user_id, connection_id, detail, created_at, next_at)
             SELECT 'anomaly/' || c.id || '/' || d.day || '/' || (one.value ->> 'kind'), 'anomaly', u.id, c.id,
               one.value ->> 'detail', ${databaseNow}, ${databaseNow}
             FROM ${each} CROSS JOIN users u ON u.workspace_id = c.workspace_id
             WHERE ?2 ON CONFLICT (occasion) DO NOTHING`,
          )
          .bind(json, enabled ? 1 : 0),
        db
          .prepare(
            `UPDATE usage_days SET told = new.now_told
             FROM (SELECT d.connection_id, d.day, finding.value ->> 'now_told' AS now_told FROM ${untold}) AS new
             WHERE usage_days.connection_id = new.connection_id AND usage_days.day = new.day`,
          )
          .bind(json),
      ]);
      return events?.meta.changes ?? 0;
    },
  };
}
