import { toBase64Url } from "../lib/bytes.ts";
import type { Random } from "../lib/random.ts";
import type { OauthHttp } from "../oauth/http.ts";
import type { Catalogue } from "../services/index.ts";
import type { Connections } from "../store/connections.ts";
import type { GrantState } from "../store/grant-row.ts";
import type { CredentialEnvironment } from "../vault/credential.ts";
import type { CommitDeps } from "./commit-tokens.ts";
import { readCurrentBlob } from "./current-blob.ts";
import { openGrant, type Grant, type GrantBinding, type GrantKey } from "./grant.ts";

export interface RefreshDeps extends CommitDeps {
  readonly environment: CredentialEnvironment;
  readonly random: Random;
  readonly oauth: OauthHttp;
  readonly catalogue: Catalogue;
  readonly stores: CommitDeps["stores"] & { readonly connections: Pick<Connections, "hasSibling"> };
}

/** An opened grant, and what opens its next generation too. */
export interface Held {
  readonly key: GrantKey;
  readonly binding: GrantBinding;
  readonly grant: Grant;
}

/**
 * `fresh`: a newer generation. `busy`: somebody else is at it. `later`: the provider has no tokens for us now; wait
 * `retryAfter` ms. `reauth`: only a new sign-in helps. `gone`: this credential is not the connection's any more.
 */
export type Refreshed =
  | { readonly kind: "fresh"; readonly held: Held }
  | { readonly kind: "busy" }
  | { readonly kind: "later"; readonly retryAfter: number }
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
  const grant = await openGrant(sealed, held.key, binding, deps.environment);
  return { key: held.key, binding, grant };
}
