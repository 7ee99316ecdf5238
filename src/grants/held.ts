import { toBase64Url, toHex } from "../lib/bytes.ts";
import type { Random } from "../lib/random.ts";
import type { OauthHttp } from "../oauth/http.ts";
import type { Catalogue } from "../services/index.ts";
import type { Connections } from "../store/connections.ts";
import type { DataKeys } from "../store/data-keys.ts";
import type { GrantState } from "../store/grant-row.ts";
import type { CredentialEnvironment } from "../vault/credential.ts";
import type { Keyring } from "../vault/keyring.ts";
import type { CommitDeps } from "./commit-tokens.ts";
import { readCurrentBlob } from "./current-blob.ts";
import { openGrant, type Grant, type GrantBinding, type GrantKey } from "./grant.ts";
import { storedKey } from "./grant-key.ts";

export interface RefreshDeps extends CommitDeps {
  readonly environment: CredentialEnvironment;
  readonly random: Random;
  readonly oauth: OauthHttp;
  readonly catalogue: Catalogue;
  readonly keyring: Keyring | undefined;
  readonly stores: CommitDeps["stores"] & {
    readonly connections: Pick<Connections, "hasSibling">;
    readonly dataKeys: DataKeys;
  };
}

/** An opened grant, and what opens its next generation too. */
export interface Held {
  readonly key: GrantKey;
  readonly binding: GrantBinding;
  readonly grant: Grant;
}

/**
 * `fresh`: a newer generation. `busy`: somebody else is at it. `later`: the provider has no tokens for us now; wait
 * `retryAfter` ms; `unanswered` says that our own request got no answer. `reauth`: only a new sign-in helps. `gone`: this credential is not the connection's any more.
 */
export type Refreshed =
  | { readonly kind: "fresh"; readonly held: Held }
  | { readonly kind: "busy" }
  | { readonly kind: "later"; readonly retryAfter: number; readonly unanswered?: true }
  | { readonly kind: "reauth" }
  | { readonly kind: "gone" };

/** Whether what opened `held` may still be used, and opens the row's present generation. */
export function belongs(state: GrantState | null, held: Held): state is GrantState {
  return state?.status === "active" && state.lookup === toBase64Url(held.binding.lookup);
}

/** Opens the generation that the row calls current, with what opened `held`. */
export async function openCurrent(state: GrantState, held: Held, deps: RefreshDeps): Promise<Held> {
  const binding = { ...held.binding, generation: state.gen };
  const sealed = await readCurrentBlob(state, deps.stores.blobs, deps.log);
  const key = await keyOf(state, held, deps);
  const grant = await openGrant(sealed, key, binding, deps.environment);
  return { key, binding, grant };
}

/** A managed connection may have got another data key since `held` was opened. */
async function keyOf(state: GrantState, held: Held, deps: RefreshDeps): Promise<GrantKey> {
  const same = state.storage !== "managed" || state.data_key_id === toHex(held.key.kid);
  return same ? held.key : await storedKey(state, deps);
}
