import { createHash, randomBytes } from "node:crypto";

/** A new master key: 32 random bytes as 64 hexadecimal characters. */
export function newMasterKey(): string {
  return randomBytes(32).toString("hex");
}

/** The name of a master key, as the worker and the database know it: the first 16 hex digits of SHA-256 of its bytes. */
export function fingerprintOfKey(key: string): string {
  return createHash("sha256").update(Buffer.from(key, "hex")).digest("hex").slice(0, 16);
}
