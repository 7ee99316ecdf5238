import { fromBase64Url, fromUtf8, toBase64Url, utf8 } from "../lib/bytes.ts";
import type { Random } from "../lib/random.ts";
import type { TokenSource } from "../oauth/server.ts";
import { customId, type HeaderForm } from "../services/service.ts";
import type { StorageMode } from "../store/connection.ts";
import type { CredentialEnvironment } from "../vault/credential.ts";
import { deriveSealingKey, type KeyMaterial, type Purpose } from "../vault/derive.ts";
import { open, seal, VaultError, type EnvelopeContext } from "../vault/envelope.ts";

export type Transport = "http" | "sse";

/**
 * What is sealed: the secret together with everything that decides where it goes. Rows repeat parts of it for
 * display; a request obeys only this.
 */
interface Destination {
  readonly v: 1;
  readonly url: string;
  readonly transport: Transport;
  /** The header that carries the secret. */
  readonly header: HeaderForm;
  readonly secret: string;
  /** Further headers that the service wants on every request. */
  readonly extra_headers: Readonly<Record<string, string>>;
}

export interface KeyGrant extends Destination {
  readonly kind: "key";
}

/** `secret` is the access token; the rest is what renews and revokes it. */
export interface OauthGrant extends Destination {
  readonly kind: "oauth";
  readonly source: TokenSource;
  readonly refresh_token?: string | undefined;
  readonly scope: string | null;
  /** ms since the epoch; `expires_at` is null where the token says nothing of an end. */
  readonly issued_at: number;
  readonly expires_at: number | null;
}

export type Grant = KeyGrant | OauthGrant;

const sealedQuery = "?…";

/**
 * The address as the row repeats it, for display. Some servers take their key in the query, so where a person gave the
 * address that goes with a key, its query is in the sealed grant alone.
 */
export function shownUrl({ kind, url }: Grant, service: string): string {
  const query = kind === "key" && service === customId ? url.indexOf("?") : -1;
  return query === -1 ? url : url.slice(0, query) + sealedQuery;
}

/** Whether a row's address is not all of it. */
export function hasSealedQuery(shown: string): boolean {
  return shown.endsWith(sealedQuery);
}

/** What a sealed grant is bound to: all of it known before opening, each change a re-seal. */
export interface GrantBinding {
  readonly connectionId: string;
  readonly workspaceId: string;
  readonly service: string;
  readonly storage: StorageMode;
  readonly lookup: Uint8Array<ArrayBuffer>;
  readonly verifier: Uint8Array<ArrayBuffer>;
  readonly generation: number;
}

/** The material that the sealing key is derived from, and its name in the envelope (zero: user-held). */
export interface GrantKey {
  readonly material: KeyMaterial;
  readonly kid: Uint8Array<ArrayBuffer>;
}

/** Seals a grant; the result is base64url text, as rows and KV hold it. */
export async function sealGrant(
  grant: Grant,
  key: GrantKey,
  binding: GrantBinding,
  environment: CredentialEnvironment,
  random: Random,
): Promise<string> {
  const envelope = await seal({
    key: await deriveSealingKey(key.material, binding.connectionId, "grant"),
    kid: key.kid,
    context: contextOf(binding, environment, "grant"),
    plaintext: utf8(JSON.stringify(grant)),
    random,
  });
  return toBase64Url(envelope);
}

/** Opens a sealed grant, or throws `VaultError`: any mismatch of key, row or bytes is the same error. */
export async function openGrant(
  sealed: string,
  key: GrantKey,
  binding: GrantBinding,
  environment: CredentialEnvironment,
): Promise<Grant> {
  const envelope = fromBase64Url(sealed);
  if (envelope === undefined) throw new VaultError("unsealable");
  const plaintext = await open({
    key: await deriveSealingKey(key.material, binding.connectionId, "grant"),
    kid: key.kid,
    context: contextOf(binding, environment, "grant"),
    envelope,
  });
  const grant: unknown = JSON.parse(fromUtf8(plaintext));
  if (!isGrant(grant)) throw new VaultError("unknown_format");
  return grant;
}

/** The additional data of an envelope of this connection. */
export function contextOf(
  binding: GrantBinding,
  environment: CredentialEnvironment,
  purpose: Purpose,
): EnvelopeContext {
  return {
    environment,
    connectionId: binding.connectionId,
    workspaceId: binding.workspaceId,
    serviceId: binding.service,
    storage: binding.storage,
    lookup: binding.lookup,
    verifier: binding.verifier,
    purpose,
    generation: binding.generation,
  };
}

/** The plaintext is authenticated, so only its version and form need a look: a newer release may have sealed it. */
function isGrant(value: unknown): value is Grant {
  return (
    typeof value === "object" &&
    value !== null &&
    "v" in value &&
    value.v === 1 &&
    "kind" in value &&
    (value.kind === "key" || value.kind === "oauth")
  );
}
