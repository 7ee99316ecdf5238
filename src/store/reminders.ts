import { databaseNow, type Id } from "./database.ts";

const week = 7 * 86_400_000;
/** A person who let five mails pass has decided: from then on the page alone says it. */
const reauthWindow = 5 * week;
/** From when on a connection that nobody signed in to again is worth a mail: eleven months, ms. */
export const reminderAge = 334 * 86_400_000;
/** How long that mail can still be queued: longer than an outage, shorter than its row is kept, so it comes once. */
const ageWindow = 30 * 86_400_000;

/** Where the page before ended: a time and an id. */
export interface ReminderCursor {
  readonly at: number;
  readonly id: Id;
}

export interface ReminderPage {
  readonly queued: number;
  /** Null on the last page. */
  readonly next: ReminderCursor | null;
}

export type Reminders = ReturnType<typeof createReminders>;

/** Queues mail to the owners of connections, by pages of up to `limit` connections in the order of an index. */
export function createReminders(db: D1Database) {
  const page = async (
    select: string,
    insert: string,
    after: ReminderCursor | null,
    limit: number,
  ): Promise<ReminderPage> => {
    const from = [after?.at ?? 0, after?.id ?? "", limit] as const;
    const [rows, inserted] = await db.batch<ReminderCursor>([
      db.prepare(select).bind(...from),
      db.prepare(insert.replace("{page}", select)).bind(...from),
    ]);
    const last = rows?.results.at(-1);
    return {
      queued: inserted?.meta.changes ?? 0,
      next: rows?.results.length === limit && last !== undefined ? { at: last.at, id: last.id } : null,
    };
  };

  return {
    /** Grants that only a sign-in brings back: a mail at once, then one a week at most, five in all. */
    async reauth(after: ReminderCursor | null, limit: number): Promise<ReminderPage> {
      return await page(
        `SELECT reauth_since AS at, id, workspace_id FROM connections
         WHERE reauth_since IS NOT NULL AND (reauth_since, id) > (MAX(?1, ${databaseNow} - ${reauthWindow}), ?2)
           AND status = 'active'
         ORDER BY reauth_since, id LIMIT ?3`,
        `INSERT INTO mail_queue (occasion, kind, user_id, connection_id, created_at, next_at)
         SELECT 'reauth_needed/' || page.id || '/' || page.at || '/' || ((${databaseNow} - page.at) / ${week}),
           'reauth_needed', u.id, page.id, ${databaseNow}, ${databaseNow}
         FROM ({page}) page JOIN users u ON u.workspace_id = page.workspace_id
         WHERE NOT EXISTS (SELECT 1 FROM mail_queue m WHERE m.connection_id = page.id AND m.kind = 'reauth_needed'
           AND (m.ended_at IS NULL OR m.ended_at > ${databaseNow} - ${week}))
         ON CONFLICT (occasion) DO NOTHING`,
        after,
        limit,
      );
    },

    /** Connections that were last signed in to eleven months ago: one mail for each sign-in. */
    async age(after: ReminderCursor | null, limit: number): Promise<ReminderPage> {
      return await page(
        `SELECT authorized_at AS at, id, workspace_id FROM connections
         WHERE status = 'active' AND kind = 'oauth' AND authorized_at <= ${databaseNow} - ${reminderAge}
           AND (authorized_at, id) > (MAX(?1, ${databaseNow} - ${reminderAge + ageWindow}), ?2)
         ORDER BY authorized_at, id LIMIT ?3`,
        `INSERT INTO mail_queue (occasion, kind, user_id, connection_id, created_at, next_at)
         SELECT 'reauth_reminder/' || page.id || '/' || page.at, 'reauth_reminder', u.id, page.id, ${databaseNow},
           ${databaseNow}
         FROM ({page}) page JOIN users u ON u.workspace_id = page.workspace_id
         WHERE TRUE ON CONFLICT (occasion) DO NOTHING`,
        after,
        limit,
      );
    },
  };
}
