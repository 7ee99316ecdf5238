import { toHex, utf8 } from "../lib/bytes.ts";
import type { TokenSource } from "../oauth/server.ts";
import type { StorageMode } from "../store/connection.ts";

/** What a flow keeps sealed between its two halves: all that decides where the code and the tokens go. */
export interface FlowSecret {
  readonly v: 1;
  readonly verifier: string;
  readonly source: TokenSource;
  readonly redirect_uri: string;
  /** RFC 9207: an answer without `iss` is refused. */
  readonly iss_required: boolean;
  readonly service: string;
  readonly url: string;
  readonly storage: StorageMode;
  readonly label: string;
  readonly scope: string | null;
  /** The connection that is signed in again, where it is not a new one. */
  readonly reauthorize: string | null;
}

/** Rows are found by the hash of the state: whoever reads the database cannot finish a flow. */
export async function hashState(state: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(`bindify/state/v1${state}`))));
}

export function isFlowSecret(value: unknown): value is FlowSecret {
  return typeof value === "object" && value !== null && "v" in value && value.v === 1 && "verifier" in value;
}
