/** Yields `length` random bytes, a fresh array each time. `length` is at most 65,536. */
export type Random = (length: number) => Uint8Array<ArrayBuffer>;

/** The runtime's cryptographically secure generator (Web Cryptography, `getRandomValues`). */
export const systemRandom: Random = (length) => crypto.getRandomValues(new Uint8Array(length));
