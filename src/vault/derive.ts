import { concat, utf8 } from "../lib/bytes.ts";
import type { Credential } from "./credential.ts";
import { hkdf, hkdfAesKey, importHkdfKey, sha256 } from "./primitives.ts";

const LOOKUP_LABEL = utf8("bindify/lookup/v1");
const VERIFIER_INFO = utf8("bindify/verify/v1");
const SEALING_INFO = "bindify/seal/v1/";
const VERIFIER_BYTES = 32;

/** What a sealed value is for. It is part of the key's derivation and of the additional data. */
export type Purpose = "grant" | "legacy-endpoint" | "data-key" | "client-secret" | "pkce-verifier";

/** Input keying material: a credential's second half, a data key or a master key. Not exportable. */
export interface KeyMaterial {
  readonly hkdf: CryptoKey;
}

/** An AES-256-GCM key for one connection (or record) and one purpose. Not exportable. Never kept between requests. */
export interface SealingKey {
  readonly aesGcm: CryptoKey;
}

/** The 32 bytes that find a connection: SHA-256("bindify/lookup/v1" ‖ id). */
export function lookupOf(credential: Credential): Promise<Uint8Array<ArrayBuffer>> {
  return sha256(concat(LOOKUP_LABEL, credential.id));
}

/** Imports 32 bytes of keying material once, for every derivation that follows. */
export async function importKeyMaterial(bytes: Uint8Array): Promise<KeyMaterial> {
  return { hkdf: await importHkdfKey(bytes) };
}

/**
 * The 32 bytes that prove the second half before anything is opened, in both storage modes:
 * HKDF-SHA256(ikm = key, salt = connection id, info = "bindify/verify/v1") (RFC 5869).
 */
export function deriveVerifier(
  material: KeyMaterial,
  connectionId: string,
): Promise<Uint8Array<ArrayBuffer>> {
  return hkdf(material.hkdf, utf8(connectionId), VERIFIER_INFO, VERIFIER_BYTES);
}

/** The key that seals: HKDF-SHA256(ikm, salt = connection id, info = "bindify/seal/v1/" ‖ purpose) (RFC 5869). */
export async function deriveSealingKey(
  material: KeyMaterial,
  connectionId: string,
  purpose: Purpose,
): Promise<SealingKey> {
  return { aesGcm: await hkdfAesKey(material.hkdf, utf8(connectionId), utf8(SEALING_INFO + purpose)) };
}
