import { toBase64Url, utf8 } from "../lib/bytes.ts";
import { day, minute, second, type Clock } from "../lib/clock.ts";
import type { Defer } from "../lib/defer.ts";
import type { Limiter } from "../lib/limiter.ts";
import type { Log } from "../lib/log.ts";
import type { Random } from "../lib/random.ts";
import type { Block, BlockList } from "../store/block-list.ts";
import type { Keyring } from "../vault/keyring.ts";
import { hkdf } from "../vault/primitives.ts";
import { createAllowList } from "./allow-list.ts";
import type { Offence } from "./offence.ts";
import { markOf, noTally, score, type Tally } from "./scorer.ts";

/** Who sent a request, as the platform says. */
export interface Caller {
  readonly address: string;
  /** What shares its fate: the address, or the /64 of IPv6. */
  readonly bucket: string;
}

export interface Miss {
  readonly caller: Caller;
  readonly offence: Offence;
  /** What was asked for. It is hashed to five bits and forgotten. */
  readonly tried: string;
}

/**
 * Seconds that the sender of a request which found nothing has to wait, or undefined. Asked after the credential was
 * found unknown, malformed or missing, and never where it is valid: nobody is kept out by their neighbours, and a valid
 * call pays nothing.
 */
export type Guard = (
  miss: Miss,
  by: { readonly defer: Defer; readonly log: Log },
) => Promise<number | undefined>;

export interface GuardParts {
  readonly blocks: BlockList;
  /** Guesses of one bucket per minute. */
  readonly guesses: Limiter;
  readonly keyring: Keyring | undefined;
  /** Addresses and ranges that are never blocked. */
  readonly allowed: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Points from which the list is asked whether the address is blocked elsewhere, more than any single miss has, and from
 * which it is blocked.
 */
const suspicious = 40;
const tooMany = 100;

/** The first block lasts a minute, and each further one five times as long, up to a day. */
const firstBlock = minute;
const growth = 5;
const longestBlock = day;
/** How long after its end a block is remembered, to make the next one longer. */
const memory = day;

/** Buckets that an isolate remembers: at some 200 bytes each, less than a megabyte. The oldest goes first. */
const remembered = 4000;

interface Known {
  readonly tally: Tally;
  readonly block: Block;
  /** When the list was last asked. */
  readonly asked: number;
}

const unknown: Known = { tally: noTally, block: { until: 0, strikes: 0 }, asked: 0 };

export function createGuard(parts: GuardParts): Guard {
  const { clock, guesses, random } = parts;
  const isAllowed = createAllowList(parts.allowed);
  const seed = new DataView(random(4).buffer).getUint32(0);
  const records = new Map<string, Known>();

  const remember = (bucket: string, record: Known): void => {
    records.delete(bucket);
    const [oldest] = records.size < remembered ? [] : records.keys();
    if (oldest !== undefined) records.delete(oldest);
    records.set(bucket, record);
  };

  /** The record with what the list knows, asked at most once a minute and only about who has drawn attention. */
  const informed = async (bucket: string, record: Known, now: number): Promise<Known> => {
    if (record.tally.points < suspicious || now - record.asked < minute) return record;
    const stored = await readBlock(bucket, parts);
    const isNews = stored !== null && stored.until > record.block.until;
    return { ...record, block: isNews ? stored : record.block, asked: now };
  };

  return async ({ caller, offence, tried }, { defer, log }) => {
    const { address, bucket } = caller;
    const now = clock();
    if (!isAllowed(address)) {
      const known = records.get(bucket) ?? unknown;
      if (known.block.until > now) return secondsUntil(known.block, now);
      const tally = score(known.tally, offence, markOf(tried, seed), now);
      const record = await informed(bucket, { ...known, tally }, now);
      const isBlocked = record.block.until > now;
      if (isBlocked || tally.points >= tooMany) {
        const block = isBlocked ? record.block : nextBlock(record.block, now);
        remember(bucket, { ...record, tally: noTally, block });
        if (!isBlocked) {
          log({ event: "address_blocked", strikes: block.strikes, seconds: secondsUntil(block, now) });
          defer("block_address", writeBlock(bucket, block, now, parts));
        }
        return secondsUntil(block, now);
      }
      if (offence !== "innocent") remember(bucket, record);
    }
    if (offence === "guess" && !(await guesses(bucket))) return minute / second;
    return undefined;
  };
}

function nextBlock({ until, strikes: before }: Block, now: number): Block {
  const strikes = now - until < memory ? before + 1 : 1;
  return { until: now + Math.min(longestBlock, firstBlock * growth ** (strikes - 1)), strikes };
}

function secondsUntil({ until }: Block, now: number): number {
  return Math.max(1, Math.ceil((until - now) / second));
}

async function readBlock(bucket: string, parts: GuardParts): Promise<Block | null> {
  const name = await nameOf(bucket, parts.keyring);
  if (name === undefined) return null;
  try {
    return await parts.blocks.get(name);
  } catch {
    // A brake that cannot be read must not turn a plain refusal into a failure; this isolate's own count goes on.
    return null;
  }
}

async function writeBlock(bucket: string, block: Block, now: number, parts: GuardParts): Promise<void> {
  const name = await nameOf(bucket, parts.keyring);
  if (name !== undefined)
    await parts.blocks.put(name, block, Math.ceil((block.until - now + memory) / second));
}

/**
 * The name of a bucket in the list: 16 bytes of HKDF under the active master key. There are only 2³² IPv4 addresses, so
 * a digest without a key could be undone by trying them all. Without a master key nothing is stored: then each isolate
 * blocks by itself.
 */
async function nameOf(bucket: string, keyring: Keyring | undefined): Promise<string | undefined> {
  if (keyring === undefined) return undefined;
  const { hkdf: key } = keyring.active.material;
  return toBase64Url(await hkdf(key, utf8(bucket), utf8("bindify/block/v1"), 16));
}
