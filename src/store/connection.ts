import type { Id } from "./database.ts";

export type ConnectionStatus = "active" | "suspended" | "disconnected";
export type StorageMode = "zero_knowledge" | "managed";
export type ConnectionKind = "key" | "oauth";

/** What became of a grant at its provider when the connection ended. */
export type RevocationState =
  | "not_applicable"
  | "revoked"
  | "failed"
  | "pending"
  | "awaiting_credential"
  | "skipped"
  | "unsupported";

/** A connection as its owner sees it: nothing here opens anything. */
export interface Connection {
  readonly id: Id;
  readonly workspace_id: Id;
  readonly service: string;
  readonly label: string;
  readonly kind: ConnectionKind;
  readonly storage: StorageMode;
  readonly upstream_url: string;
  readonly status: ConnectionStatus;
  readonly state: "live" | "leased" | "sent" | "reauth";
  readonly gen: number;
  readonly blob_fence: number;
  readonly access_expires_at: number | null;
  readonly refreshable: number;
  readonly scope: string | null;
  readonly issuer: string | null;
  readonly refreshed_at: number | null;
  readonly authorized_at: number | null;
  readonly reauth_since: number | null;
  readonly wanted_scope: string | null;
  /** When the service last took a secret that does not end (managed only). */
  readonly checked_at: number | null;
  readonly revocation: RevocationState | null;
  readonly created_at: number;
  readonly last_used_at: number | null;
  /** Since when the service refuses what is stored, or does not answer at all. */
  readonly refused_since: number | null;
  readonly unreachable_since: number | null;
  readonly disconnected_at: number | null;
}

/** The columns of `Connection`. */
export const publicColumns = `id, workspace_id, service, label, kind, storage, upstream_url, status, state, gen, blob_fence,
  access_expires_at, refreshable, scope, issuer, refreshed_at, authorized_at, reauth_since, wanted_scope, refused_since,
  checked_at, revocation, created_at, last_used_at, unreachable_since, disconnected_at`;
