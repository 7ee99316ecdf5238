import { databaseNow, type Id } from "./database.ts";
import { reminderAge } from "./reminders.ts";

export type MailKind =
  | "master_key_missing"
  | "reauth_needed"
  | "reauth_reminder"
  | "subscription_confirmed"
  | "payment_failed"
  | "connections_suspended"
  | "connections_restored"
  | "anomaly";

/** `obsolete`: what it was about had ended before it could be sent. */
export type MailOutcome = "sent" | "no_address" | "refused" | "obsolete";

export interface NewMail {
  /** Names what the mail is about: a second one of the same name is none. */
  readonly occasion: string;
  readonly kind: MailKind;
  /** Null: the administrator. */
  readonly userId: Id | null;
  readonly connectionId: Id | null;
  /** Names, numbers and times for the text. Never an address or a secret. */
  readonly detail?: Readonly<Record<string, string | number>>;
}

/** A mail that is due, with what its text and its address need. */
export interface DueMail {
  readonly id: number;
  readonly kind: MailKind;
  readonly user_id: Id | null;
  readonly connection_id: Id | null;
  /** JSON text. */
  readonly detail: string;
  readonly tries: number;
  /** ms since it was queued. */
  readonly age: number;
  readonly email: string | null;
  readonly issuer: string | null;
  readonly subject: string | null;
  readonly service: string | null;
  readonly label: string | null;
  /** 1 while the connection is one that only a sign-in brings back. */
  readonly needs_sign_in: number;
  /** 1 while nobody has signed in to the connection for eleven months. */
  readonly still_old: number;
}

export type Mails = ReturnType<typeof createMails>;

/** The queue of mail. Where mail is not configured (`enabled` is false) nothing is queued. */
export function createMails(db: D1Database, enabled: boolean) {
  const insert = (mail: NewMail, condition: string): D1PreparedStatement =>
    db
      .prepare(
        `INSERT INTO mail_queue (occasion, kind, user_id, connection_id, detail, created_at, next_at)
         SELECT ?1, ?2, ?3, ?4, ?5, ${databaseNow}, ${databaseNow} WHERE ?6 ${condition}
         ON CONFLICT (occasion) DO NOTHING`,
      )
      .bind(
        mail.occasion,
        mail.kind,
        mail.userId,
        mail.connectionId,
        JSON.stringify(mail.detail ?? {}),
        enabled ? 1 : 0,
      );

  return {
    /** Queues a mail; answers whether it is a new one. */
    async enqueue(mail: NewMail): Promise<boolean> {
      const { meta } = await insert(mail, "").run();
      return meta.changes > 0;
    },

    /** The same as a statement for a batch. `changed`: only where the statement before it changed a row. */
    queued(mail: NewMail, changed: boolean): D1PreparedStatement {
      return insert(mail, changed ? "AND changes() > 0" : "");
    },

    /** The mails that are due, oldest first. */
    async due(limit: number): Promise<readonly DueMail[]> {
      const { results } = await db
        .prepare(
          `SELECT m.id, m.kind, m.user_id, m.connection_id, m.detail, m.tries, ${databaseNow} - m.created_at AS age,
             u.email, u.issuer, u.subject, c.service, c.label,
             c.status IS 'active' AND c.reauth_since IS NOT NULL AS needs_sign_in,
             c.status IS 'active' AND c.authorized_at <= ${databaseNow} - ${reminderAge} AS still_old
           FROM mail_queue m LEFT JOIN users u ON u.id = m.user_id LEFT JOIN connections c ON c.id = m.connection_id
           WHERE m.next_at <= ${databaseNow} ORDER BY m.next_at, m.id LIMIT ?1`,
        )
        .bind(limit)
        .all<DueMail>();
      return results;
    },

    /**
     * Takes a mail for one try; of several that want it one wins. It is due again after `delay` ms unless it is ended:
     * so a process that dies while it sends leaves a retry, and a mail that it had sent comes twice.
     */
    async claim(mail: Pick<DueMail, "id" | "tries">, delay: number): Promise<boolean> {
      const { meta } = await db
        .prepare(
          `UPDATE mail_queue SET tries = tries + 1, next_at = ${databaseNow} + ?3
           WHERE id = ?1 AND tries = ?2 AND next_at <= ${databaseNow}`,
        )
        .bind(mail.id, mail.tries, delay)
        .run();
      return meta.changes > 0;
    },

    async end(id: number, outcome: MailOutcome): Promise<void> {
      await db
        .prepare(
          `UPDATE mail_queue SET ended_at = ${databaseNow}, next_at = NULL, outcome = ?2
           WHERE id = ?1 AND ended_at IS NULL`,
        )
        .bind(id, outcome)
        .run();
    },

    /** Forgets up to `limit` mails that ended more than `age` ms ago; answers how many. */
    async deleteEnded(age: number, limit: number): Promise<number> {
      const { meta } = await db
        .prepare(
          `DELETE FROM mail_queue WHERE id IN
             (SELECT id FROM mail_queue WHERE ended_at <= ${databaseNow} - ?1 ORDER BY ended_at LIMIT ?2)`,
        )
        .bind(age, limit)
        .run();
      return meta.changes;
    },
  };
}
