const MESSAGES = {
  unsealable: "the sealed data does not open with this key in this place",
  unknown_format: "the sealed data has an unknown version or algorithm",
  unknown_key: "the sealed data names a key that is not loaded",
} as const;

/**
 * Why sealed data stayed closed. `unsealable` is every mismatch alike (key, key id, context, one changed or missing
 * byte): which one it was helps only an attacker. The other two are said before any decryption is tried.
 */
export class VaultError extends Error {
  override readonly name = "VaultError";
  readonly code: keyof typeof MESSAGES;

  constructor(code: keyof typeof MESSAGES) {
    super(MESSAGES[code]);
    this.code = code;
  }
}
