/** The three primitives that everything else is built from, one call of WebCrypto each. */

/** SHA-256 (FIPS 180-4): 32 bytes. */
export async function sha256(data: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", data));
}

/** Input keying material for HKDF. It cannot be exported again. */
export function importHkdfKey(material: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", material, "HKDF", false, ["deriveBits", "deriveKey"]);
}

/** HKDF-SHA256, extract and expand (RFC 5869 §2): `length` bytes, at most 8,160. */
export async function hkdf(
  key: CryptoKey,
  salt: Uint8Array,
  info: Uint8Array,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.deriveBits(hkdfParameters(salt, info), key, length * 8));
}

/** The same 32 bytes as `hkdf(key, salt, info, 32)`, as an AES-256-GCM key that cannot be exported. */
export function hkdfAesKey(key: CryptoKey, salt: Uint8Array, info: Uint8Array): Promise<CryptoKey> {
  const aes = { name: "AES-GCM", length: 256 };
  return crypto.subtle.deriveKey(hkdfParameters(salt, info), key, aes, false, ["encrypt", "decrypt"]);
}

/** AES-GCM authenticated encryption (NIST SP 800-38D §7.1), 12-byte nonce: ciphertext ‖ 16-byte tag. */
export async function aesGcmEncrypt(
  key: CryptoKey,
  nonce: Uint8Array,
  additionalData: Uint8Array,
  plaintext: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const parameters = { name: "AES-GCM", iv: nonce, additionalData, tagLength: 128 };
  return new Uint8Array(await crypto.subtle.encrypt(parameters, key, plaintext));
}

/** AES-GCM authenticated decryption (NIST SP 800-38D §7.2). Rejects where the tag does not match. */
export async function aesGcmDecrypt(
  key: CryptoKey,
  nonce: Uint8Array,
  additionalData: Uint8Array,
  ciphertextAndTag: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const parameters = { name: "AES-GCM", iv: nonce, additionalData, tagLength: 128 };
  return new Uint8Array(await crypto.subtle.decrypt(parameters, key, ciphertextAndTag));
}

function hkdfParameters(salt: Uint8Array, info: Uint8Array) {
  return { name: "HKDF", hash: "SHA-256", salt, info };
}
