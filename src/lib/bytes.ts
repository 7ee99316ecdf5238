const BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const BASE64URL_VALUES = new Int8Array(128).fill(-1);
for (let value = 0; value < BASE64URL.length; value++) {
  BASE64URL_VALUES[BASE64URL.charCodeAt(value)] = value;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const HEX_TEXT = /^(?:[0-9a-fA-F]{2})*$/;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Base64url without padding (RFC 4648 §5). */
export function toBase64Url(bytes: Uint8Array): string {
  let text = "";
  let pending = 0;
  let bits = 0;
  for (const byte of bytes) {
    pending = (pending << 8) | byte;
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      text += BASE64URL.charAt((pending >> bits) & 63);
    }
    pending &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + BASE64URL.charAt((pending << (6 - bits)) & 63);
}

/**
 * The bytes of canonical base64url (RFC 4648 §5, §3.5), or undefined. One byte string has one spelling: padding, white
 * space, the other alphabet's `+` and `/`, an impossible length and non-zero spare bits are all refused.
 */
export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length % 4 === 1) return undefined;
  const bytes = new Uint8Array((text.length * 6) >> 3);
  let pending = 0;
  let bits = 0;
  let end = 0;
  for (let at = 0; at < text.length; at++) {
    const value = BASE64URL_VALUES[text.charCodeAt(at)] ?? -1;
    if (value < 0) return undefined;
    pending = (pending << 6) | value;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[end++] = pending >> bits;
      pending &= (1 << bits) - 1;
    }
  }
  return pending === 0 ? bytes : undefined;
}

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += HEX[byte];
  return text;
}

/** The bytes of hexadecimal text in either case, or undefined for anything else. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!HEX_TEXT.test(text)) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  for (let at = 0; at < bytes.length; at++) bytes[at] = Number.parseInt(text.slice(2 * at, 2 * at + 2), 16);
  return bytes;
}

/** UTF-8. A lone surrogate becomes U+FFFD, so only well-formed text has its own encoding. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  // Ids and labels are short and ASCII: a loop costs a third of the call into the runtime.
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0x7f) return new Uint8Array(encoder.encode(text));
    bytes[at] = code;
  }
  return bytes;
}

/** The text of UTF-8 bytes, a byte-order mark included. Throws TypeError where they are not UTF-8. */
export function fromUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** The parts, one after the other, in a new array. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/**
 * Whether two byte strings are the same, in a time that depends on their length only. Lengths are public here: every
 * secret that is compared is a digest or a derived value of fixed size. Hash both sides first where that is not so.
 */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  // timingSafeEqual throws on unequal lengths.
  return a.length === b.length && crypto.subtle.timingSafeEqual(a, b);
}
