import { concat, fromBase64Url, toBase64Url } from "../lib/bytes.ts";
import type { Random } from "../lib/random.ts";
import { checksum, CHECKSUM_CHARACTERS } from "./checksum.ts";

const HALF_BYTES = 32;
/** 64 bytes in base64url: 85 full characters and one that carries two bits. */
const CREDENTIAL_CHARACTERS = 86;

/**
 * What a person holds, shown once and never stored: `id` (32 bytes) finds the connection, `key` (32 bytes) opens it.
 * The halves are independent, so what is stored of one says nothing about the other.
 */
export interface Credential {
  readonly id: Uint8Array<ArrayBuffer>;
  readonly key: Uint8Array<ArrayBuffer>;
}

export type CredentialEnvironment = "live" | "test";

/** A new credential: 512 bits from `random`, the identifying half first. */
export function mintCredential(random: Random): Credential {
  const id = random(HALF_BYTES);
  return { id, key: random(HALF_BYTES) };
}

/** `id ‖ key` as 86 characters of base64url (RFC 4648 §5), the last part of a secret URL. */
export function formatCredential(credential: Credential): string {
  return toBase64Url(concat(credential.id, credential.key));
}

/** `bnd_<environment>_<86 characters><6 characters of checksum>`: the same secret as the URL's, 101 characters. */
export function formatApiKey(credential: Credential, environment: CredentialEnvironment): string {
  const body = prefixOf(environment) + formatCredential(credential);
  return body + checksum(body);
}

/**
 * The credential that `text` spells canonically, else undefined. Each credential has exactly one spelling, so a block
 * list, a log search or a rate limit that knows it cannot be passed by an alias. Synchronous: what is malformed is
 * refused before anything is hashed or looked up.
 */
export function parseCredential(text: string): Credential | undefined {
  if (text.length !== CREDENTIAL_CHARACTERS) return undefined;
  const bytes = fromBase64Url(text);
  // Copies, not views: `id.buffer` must not lead to the key.
  return bytes && { id: bytes.slice(0, HALF_BYTES), key: bytes.slice(HALF_BYTES) };
}

/** As parseCredential, for an API key of this environment; undefined too for another environment's, or a wrong checksum. */
export function parseApiKey(text: string, environment: CredentialEnvironment): Credential | undefined {
  const prefix = prefixOf(environment);
  if (text.length !== prefix.length + CREDENTIAL_CHARACTERS + CHECKSUM_CHARACTERS) return undefined;
  if (!text.startsWith(prefix)) return undefined;
  const body = text.slice(0, -CHECKSUM_CHARACTERS);
  // Not a comparison of secrets: both sides are computed from what the caller sent.
  if (checksum(body) !== text.slice(-CHECKSUM_CHARACTERS)) return undefined;
  return parseCredential(body.slice(prefix.length));
}

function prefixOf(environment: CredentialEnvironment): string {
  return `bnd_${environment}_`;
}
