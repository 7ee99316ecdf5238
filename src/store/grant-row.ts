import type { ConnectionKind, StorageMode } from "./connection.ts";
import { databaseNow, type Id } from "./database.ts";

/** KV shows a journal everywhere within this time; it also remembers a miss that long. ms. */
export const journalDelay = 60_000;

/** How long a superseded blob stays for readers that are half-way, ms. */
export const supersededFor = 3_600_000;

/**
 * `lease_until` of a writer that said itself that it is done: whatever it had to write is written, so nobody waits for
 * a journal of it, and the minute job looks for none.
 */
export const nobodyWrites = 0;

/** What a lease holder proves itself with: an older fence writes nothing any more. */
export interface Lease {
  readonly connectionId: Id;
  /** The generation that the lease was taken at. */
  readonly gen: number;
  readonly fence: number;
}

/** The state of a grant, as the refresh protocol reads it. `now` is the database's clock. */
export interface GrantState {
  readonly id: Id;
  readonly workspace_id: Id;
  readonly service: string;
  readonly storage: "zero_knowledge" | "managed";
  readonly upstream_url: string;
  readonly kind: ConnectionKind;
  readonly issuer: string | null;
  readonly status: "active" | "suspended" | "disconnected";
  readonly state: "live" | "leased" | "sent" | "reauth";
  readonly lookup: string;
  readonly verifier: string;
  readonly data_key_id: string | null;
  readonly gen: number;
  readonly fence: number;
  readonly lease_until: number;
  readonly retry_at: number;
  /** When this generation's refresh token was first sent, as long as nobody knows what came of it; else 0. */
  readonly sent_at: number;
  readonly access_expires_at: number | null;
  readonly refreshable: number;
  readonly scope: string | null;
  /** When the background looks at it; null where there is nothing for it to do. */
  readonly due_at: number | null;
  readonly blob: string | null;
  readonly blob_fence: number;
  readonly now: number;
}

/** What can be known of new tokens without opening them; it travels with the blob. */
export interface TokenFacts {
  readonly access_expires_at: number | null;
  readonly refreshable: boolean;
  readonly scope: string | null;
  /** When a managed grant is due for the background; null: it does not end, so it is looked at once a day. */
  readonly due_at: number | null;
}

/** Who had a grant renewed: a call that needed it, or the schedule. */
export type RenewedBy = "request" | "schedule";

/** SQL: when a grant that does not end is looked at again. Spread, so that what was made at once does not come at once. */
export const nextCheck = `${databaseNow} + 86400000 - abs(random() % 8640000)`;

/** The columns of `GrantState`. */
export const grantColumns = `id, workspace_id, service, storage, upstream_url, kind, issuer, status, state, lookup,
  verifier, data_key_id, gen, fence, lease_until, retry_at, sent_at, access_expires_at, refreshable, scope, due_at,
  blob, blob_fence,
  ${databaseNow} AS now`;

/** What a person's hand changes at once: the credential, the grant, or both. */
export interface NextGeneration {
  readonly blob: string;
  readonly lookup: string;
  readonly verifier: string;
  readonly storage: StorageMode;
  readonly data_key_id: string | null;
  readonly kind: ConnectionKind;
  readonly upstream_url: string;
  readonly issuer: string | null;
  readonly facts: TokenFacts;
}
