const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** The number of base62 characters that hold any 32-bit value: 62^5 < 2^32 < 62^6. */
export const CHECKSUM_CHARACTERS = 6;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? 0xedb88320 : 0);
  return remainder;
});

/** CRC-32 of ASCII text, an unsigned 32-bit number (ISO 3309, the polynomial of RFC 1952 §8). */
export function crc32(text: string): number {
  let remainder = 0xffffffff;
  for (let at = 0; at < text.length; at++) {
    remainder = (remainder >>> 8) ^ (TABLE[(remainder ^ text.charCodeAt(at)) & 0xff] ?? 0);
  }
  return (remainder ^ 0xffffffff) >>> 0;
}

/**
 * Six characters that end an API key: the CRC-32 of what precedes them in base62 (0-9 A-Z a-z), most significant
 * first, padded with zeros. It finds typing errors and lets secret scanners tell a key from noise; it proves nothing.
 */
export function checksum(text: string): string {
  let rest = crc32(text);
  let digits = "";
  for (let at = 0; at < CHECKSUM_CHARACTERS; at++) {
    digits = ALPHABET.charAt(rest % 62) + digits;
    rest = Math.floor(rest / 62);
  }
  return digits;
}
