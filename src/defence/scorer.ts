import { minute } from "../lib/clock.ts";
import type { Offence } from "./offence.ts";

/** Points of an offence the first time its target is seen, and each further time. */
const weights: Readonly<Record<Offence, readonly [fresh: number, repeated: number]>> = {
  scan: [25, 25],
  // A client with an old address asks for the same thing over and over; who guesses asks for something else each time.
  guess: [3, 1],
  stray: [2, 1],
  innocent: [0, 0],
};

/** Points count together that fall into one span of this length. */
const span = 10 * minute;

export interface Tally {
  readonly since: number;
  readonly points: number;
  /** One bit for each 1/32 of what can be asked for: enough to tell repetition from enumeration, and no more. */
  readonly seen: number;
}

export const noTally: Tally = { since: 0, points: 0, seen: 0 };

/** The tally after one more offence. `mark` is a keyed digest of what was tried; five bits of it are used. */
export function score(before: Tally, offence: Offence, mark: number, now: number): Tally {
  const { since, points, seen } = now - before.since < span ? before : { ...noTally, since: now };
  const bit = 1 << (mark & 31);
  const [fresh, repeated] = weights[offence];
  return { since, points: points + ((seen & bit) === 0 ? fresh : repeated), seen: seen | bit };
}

/** FNV-1a over UTF-16 units, 32 bits; the seed is of this isolate, so nobody can choose what falls together. */
export function markOf(tried: string, seed: number): number {
  let mark = seed;
  for (let at = 0; at < tried.length; at++) mark = Math.imul(mark ^ tried.charCodeAt(at), 0x01000193);
  return (mark >>> 13) ^ mark;
}
