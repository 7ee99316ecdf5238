import { databaseNow } from "./database.ts";

/** Our registration as a client of one issuer, made for one redirect address. The secret is sealed. */
export interface RegistrationRow {
  readonly id: string;
  readonly issuer: string;
  readonly redirect_uri: string;
  readonly client_id: string;
  readonly method: "none" | "client_secret_basic" | "client_secret_post";
  readonly data_key_id: string;
  readonly sealed: string;
  readonly expires_at: number | null;
}

/**
 * Older registrations serve no new sign-in, ms: a server that forgot one says so to the person, not to us, so
 * without an end we would offer it for ever.
 */
const oldest = 30 * 86_400_000;

export type Registrations = ReturnType<typeof createRegistrations>;

export function createRegistrations(db: D1Database) {
  return {
    /** The newest registration that lasts at least `spare` ms longer. */
    async current(issuer: string, redirectUri: string, spare: number): Promise<RegistrationRow | null> {
      return await db
        .prepare(
          `SELECT id, issuer, redirect_uri, client_id, method, data_key_id, sealed, expires_at
           FROM client_registrations
           WHERE issuer = ?1 AND redirect_uri = ?2
             AND (expires_at IS NULL OR expires_at > ${databaseNow} + ?3)
             AND created_at > ${databaseNow} - ${oldest}
           ORDER BY created_at DESC LIMIT 1`,
        )
        .bind(issuer, redirectUri, spare)
        .first<RegistrationRow>();
    },

    async insert(row: RegistrationRow): Promise<void> {
      await db
        .prepare(
          `INSERT INTO client_registrations
             (id, issuer, redirect_uri, client_id, method, data_key_id, sealed, expires_at, created_at)
           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ${databaseNow})`,
        )
        .bind(
          row.id,
          row.issuer,
          row.redirect_uri,
          row.client_id,
          row.method,
          row.data_key_id,
          row.sealed,
          row.expires_at,
        )
        .run();
    },

    /** The server does not know this client any more: new sign-ins take a new one; grants keep theirs. */
    async forget(issuer: string, clientId: string): Promise<void> {
      await db
        .prepare("DELETE FROM client_registrations WHERE issuer = ?1 AND client_id = ?2")
        .bind(issuer, clientId)
        .run();
    },
  };
}
