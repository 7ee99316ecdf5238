import type { Audit } from "./audit.ts";
import type { Id } from "./database.ts";
import { databaseNow } from "./database.ts";

export interface User {
  readonly id: Id;
  readonly workspace_id: Id;
  readonly email: string | null;
}

export interface KnownUser extends User {
  /** Not null while the account is being deleted: nothing is done for it any more. */
  readonly erasing_at: number | null;
}

interface NewUser {
  readonly issuer: string;
  readonly subject: string;
  readonly email: string | null;
}

export type Users = ReturnType<typeof createUsers>;

export function createUsers(db: D1Database, audit: Pick<Audit, "record">) {
  const find = async (issuer: string, subject: string): Promise<KnownUser | null> =>
    await db
      .prepare(
        `SELECT u.id, u.workspace_id, u.email, w.erasing_at FROM users u JOIN workspaces w ON w.id = u.workspace_id
         WHERE u.issuer = ?1 AND u.subject = ?2`,
      )
      .bind(issuer, subject)
      .first<KnownUser>();

  return {
    find,

    /**
     * The user of a verified (issuer, subject), made with a workspace of their own on first sight. Two first
     * requests at once make one: the second's rows are refused by the unique pair, and it reads the first's.
     * Null where `max` users are here already.
     */
    async provision(
      identity: NewUser,
      newIds: { readonly user: Id; readonly workspace: Id },
      max: number | undefined,
    ): Promise<KnownUser | null> {
      const known = await find(identity.issuer, identity.subject);
      if (known !== null) return known;
      // Counts up to the maximum and no further.
      const room =
        max === undefined ? "" : `AND (SELECT COUNT(*) FROM (SELECT 1 FROM users LIMIT ${max})) < ${max}`;
      await db.batch([
        db
          .prepare(
            `INSERT INTO workspaces (id, created_at) SELECT ?1, ${databaseNow}
             WHERE NOT EXISTS (SELECT 1 FROM users WHERE issuer = ?2 AND subject = ?3) ${room}`,
          )
          .bind(newIds.workspace, identity.issuer, identity.subject),
        db
          .prepare(
            `INSERT INTO users (id, workspace_id, issuer, subject, email, created_at)
             SELECT ?1, ?2, ?3, ?4, ?5, ${databaseNow} WHERE EXISTS (SELECT 1 FROM workspaces WHERE id = ?2)
             ON CONFLICT (issuer, subject) DO NOTHING`,
          )
          .bind(newIds.user, newIds.workspace, identity.issuer, identity.subject, identity.email),
      ]);
      return await find(identity.issuer, identity.subject);
    },

    /** The person's address changed at their identity provider. */
    async setEmail(id: Id, email: string): Promise<void> {
      await db.prepare("UPDATE users SET email = ?2 WHERE id = ?1").bind(id, email).run();
    },

    /** The first request of a sign-in: it goes on record, once however many isolates see it. */
    async noteLogin(user: Pick<User, "id" | "workspace_id">, session: string): Promise<void> {
      const seen = await db
        .prepare("SELECT 1 FROM logins WHERE user_id = ?1 AND session = ?2")
        .bind(user.id, session)
        .first();
      if (seen !== null) return;
      await audit.record(user.workspace_id, { type: "login", actor: "owner" }, [
        db
          .prepare(
            `INSERT INTO logins (user_id, session, at) VALUES (?1, ?2, ${databaseNow}) ON CONFLICT DO NOTHING`,
          )
          .bind(user.id, session),
      ]);
    },

    /** Sign-ins older than `age` ms; one that still lives by then goes on record again. */
    async forgetLogins(age: number): Promise<number> {
      const { meta } = await db.prepare(`DELETE FROM logins WHERE at < ${databaseNow} - ?1`).bind(age).run();
      return meta.changes;
    },
  };
}
