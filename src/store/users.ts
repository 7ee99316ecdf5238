import type { Id } from "./database.ts";
import { databaseNow } from "./database.ts";

export interface User {
  readonly id: Id;
  readonly workspace_id: Id;
  readonly email: string | null;
}

export type Users = ReturnType<typeof createUsers>;

export function createUsers(db: D1Database) {
  const find = async (issuer: string, subject: string): Promise<User | null> =>
    await db
      .prepare("SELECT id, workspace_id, email FROM users WHERE issuer = ?1 AND subject = ?2")
      .bind(issuer, subject)
      .first<User>();

  return {
    find,

    /**
     * The user of a verified (issuer, subject), made with a workspace of their own on first sight. Two first
     * requests at once make one: the second's rows are refused by the unique pair, and it reads the first's.
     */
    async provision(
      identity: { readonly issuer: string; readonly subject: string; readonly email: string | null },
      newIds: { readonly user: Id; readonly workspace: Id },
    ): Promise<User> {
      const known = await find(identity.issuer, identity.subject);
      if (known !== null) return known;
      await db.batch([
        db
          .prepare(
            `INSERT INTO workspaces (id, created_at) SELECT ?1, ${databaseNow}
             WHERE NOT EXISTS (SELECT 1 FROM users WHERE issuer = ?2 AND subject = ?3)`,
          )
          .bind(newIds.workspace, identity.issuer, identity.subject),
        db
          .prepare(
            `INSERT INTO users (id, workspace_id, issuer, subject, email, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ${databaseNow}) ON CONFLICT (issuer, subject) DO NOTHING`,
          )
          .bind(newIds.user, newIds.workspace, identity.issuer, identity.subject, identity.email),
      ]);
      const made = await find(identity.issuer, identity.subject);
      if (made === null) throw new Error("the database kept no provisioned user");
      return made;
    },
  };
}
