import { toBase64Url, utf8 } from "./bytes.ts";

/** What an event's hash covers, besides the hash of the event before it. */
export interface ChainedEvent {
  readonly workspace_id: string;
  readonly seq: number;
  readonly at: number;
  readonly type: string;
  readonly actor: string;
  readonly connection_id: string | null;
  readonly service: string | null;
  /** JSON text, byte for byte as stored. */
  readonly detail: string;
}

/** The hash before the first event of a workspace. */
export const emptyHash = "";

/**
 * SHA-256, base64url, of the JSON array `["bindify/audit/v1", <hash before>, workspace, seq, at, type, actor,
 * connection, service, detail]`. An exported log can be checked with this line and nothing else.
 */
export async function chainHash(before: string, event: ChainedEvent): Promise<string> {
  const text = JSON.stringify([
    "bindify/audit/v1",
    before,
    event.workspace_id,
    event.seq,
    event.at,
    event.type,
    event.actor,
    event.connection_id,
    event.service,
    event.detail,
  ]);
  return toBase64Url(new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(text))));
}
