import { env } from "cloudflare:workers";

export interface Owner {
  readonly user: string;
  readonly workspace: string;
}

const hex = (): string => crypto.randomUUID().replaceAll("-", "");

/** A person with a workspace, as rows. */
export async function createOwner(
  identity: { readonly email?: string | null; readonly issuer?: string; readonly subject?: string } = {},
): Promise<Owner> {
  const owner = { user: `usr_${hex()}`, workspace: `wsp_${hex()}` };
  const { email = "owner@example.com", issuer = "https://issuer.example", subject = owner.user } = identity;
  await env.DB.batch([
    env.DB.prepare("INSERT INTO workspaces (id, created_at) VALUES (?1, 0)").bind(owner.workspace),
    env.DB.prepare(
      `INSERT INTO users (id, workspace_id, issuer, subject, email, created_at) VALUES (?1, ?2, ?3, ?4, ?5, 0)`,
    ).bind(owner.user, owner.workspace, issuer, subject, email),
  ]);
  return owner;
}

/** An OAuth connection of that person, as a row; `columns` are assigned in SQL, such as `state = 'reauth'`. */
export async function createRow(owner: Owner, columns: string, label = "Work"): Promise<string> {
  const id = `con_${hex()}`;
  await env.DB.batch([
    env.DB.prepare(
      `INSERT INTO connections (id, workspace_id, service, label, kind, storage, upstream_url, status, lookup, verifier,
         created_at, authorized_at)
       VALUES (?1, ?2, 'linear', ?3, 'oauth', 'zero_knowledge', 'https://mcp.linear.app/mcp', 'active', ?1, 'v', 0, 0)`,
    ).bind(id, owner.workspace, label),
    env.DB.prepare(`UPDATE connections SET ${columns} WHERE id = ?1`).bind(id),
  ]);
  return id;
}

/** SQL for a time that lies so many days back. */
export const daysAgo = (days: number): string =>
  `CAST(unixepoch('subsec') * 1000 AS INTEGER) - ${days * 86_400_000}`;
