import type { AuditEntry } from "../lib/audit-event.ts";
import type { Audit } from "./audit.ts";
import { databaseNow, type Id } from "./database.ts";

export type TokenScope = "read" | "manage";

/** A token for programs, as its owner sees it: what is shown here authenticates nobody. */
export interface Token {
  readonly id: Id;
  readonly name: string;
  readonly scope: TokenScope;
  readonly prefix: string;
  readonly created_at: number;
  readonly last_used_at: number | null;
  readonly expires_at: number | null;
}

export interface TokenOwner {
  readonly id: Id;
  readonly workspace_id: Id;
  readonly email: string | null;
  readonly erasing_at: number | null;
  readonly token_id: Id;
  readonly scope: TokenScope;
}

/** A person's tokens at most. */
export const tokensPerUser = 50;

const columns = "id, name, scope, prefix, created_at, last_used_at, expires_at";

export type Tokens = ReturnType<typeof createTokens>;

/** Tokens are kept as SHA-256 only: 256 random bits need no slower hash. */
export function createTokens(db: D1Database, audit: Pick<Audit, "record">) {
  return {
    async list(userId: Id): Promise<readonly Token[]> {
      const { results } = await db
        .prepare(`SELECT ${columns} FROM tokens WHERE user_id = ?1 ORDER BY created_at DESC, id LIMIT ?2`)
        .bind(userId, tokensPerUser)
        .all<Token>();
      return results;
    },

    /** `lifetime` in ms, or null for ever. Null where the user has as many as there may be. */
    async insert(
      user: { readonly id: Id; readonly workspace_id: Id },
      token: Pick<Token, "id" | "name" | "scope" | "prefix"> & { readonly hash: string },
      lifetime: number | null,
    ): Promise<Token | null> {
      const { id, scope } = token;
      const entry: AuditEntry = { type: "token_created", actor: "owner", detail: { token: id, scope } };
      const [inserted] = await audit.record<Token>(user.workspace_id, entry, [
        db
          .prepare(
            `INSERT INTO tokens (id, user_id, name, scope, prefix, hash, created_at, expires_at)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ${databaseNow}, ${databaseNow} + ?7
             WHERE (SELECT COUNT(*) FROM tokens WHERE user_id = ?2) < ${tokensPerUser}
               AND NOT EXISTS (SELECT 1 FROM users u JOIN workspaces w ON w.id = u.workspace_id
                 WHERE u.id = ?2 AND w.erasing_at IS NOT NULL)
             RETURNING ${columns}`,
          )
          .bind(id, user.id, token.name, scope, token.prefix, token.hash, lifetime),
      ]);
      return inserted?.results[0] ?? null;
    },

    async revoke(
      user: { readonly id: Id; readonly workspace_id: Id },
      id: Id,
      actor: AuditEntry["actor"],
    ): Promise<Token | null> {
      const entry: AuditEntry = { type: "token_revoked", actor, detail: { token: id } };
      const [deleted] = await audit.record<Token>(user.workspace_id, entry, [
        db
          .prepare(`DELETE FROM tokens WHERE id = ?1 AND user_id = ?2 RETURNING ${columns}`)
          .bind(id, user.id),
      ]);
      return deleted?.results[0] ?? null;
    },

    /** Whose token this is, unless it has expired. */
    async find(hash: string): Promise<TokenOwner | null> {
      return await db
        .prepare(
          `SELECT u.id, u.workspace_id, u.email, w.erasing_at, t.id AS token_id, t.scope
           FROM tokens t JOIN users u ON u.id = t.user_id JOIN workspaces w ON w.id = u.workspace_id
           WHERE t.hash = ?1 AND (t.expires_at IS NULL OR t.expires_at > ${databaseNow})`,
        )
        .bind(hash)
        .first<TokenOwner>();
    },

    /** `last_used_at`, at most once in `interval` ms. */
    async touch(id: Id, interval: number): Promise<void> {
      await db
        .prepare(
          `UPDATE tokens SET last_used_at = ${databaseNow}
           WHERE id = ?1 AND (last_used_at IS NULL OR last_used_at < ${databaseNow} - ?2)`,
        )
        .bind(id, interval)
        .run();
    },
  };
}
