import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { createGuard, type Caller, type GuardParts, type Miss } from "../../src/defence/guard.ts";
import type { Offence } from "../../src/defence/offence.ts";
import type { LogEvent } from "../../src/lib/log.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { createBlockList } from "../../src/store/block-list.ts";
import { parseKeyring } from "../../src/vault/keyring.ts";

const minute = 60_000;
const keyring = await parseKeyring({ keys: env.MANAGED_ENCRYPTION_KEYS });

const failing = async (): Promise<never> => {
  throw new Error("KV GET failed");
};

let callers = 0;
/** Somebody new. */
function caller(): Caller {
  callers += 1;
  const address = `203.0.113.${callers}`;
  return { address, bucket: address };
}

/** One isolate's guard over the real KV, with a clock of its own. */
function isolate(parts: Partial<GuardParts> = {}) {
  let now = Date.now();
  let reads = 0;
  const events: LogEvent[] = [];
  const deferred: Promise<unknown>[] = [];
  const list = createBlockList(env.BLOBS);
  const blocks = {
    ...list,
    get: async (name: string) => {
      reads += 1;
      return await list.get(name);
    },
  };
  const guard = createGuard({
    blocks,
    guesses: async () => true,
    keyring,
    allowed: [],
    clock: () => now,
    random: systemRandom,
    ...parts,
  });
  const by = {
    log: (event: LogEvent) => void events.push(event),
    defer: (_: string, work: Promise<unknown>) => void deferred.push(work),
  };
  const miss = async (from: Caller, offence: Offence, tried: string): Promise<number | undefined> =>
    await guard({ caller: from, offence, tried } satisfies Miss, by);
  /** Misses until one is answered with a wait: how many it took, and the wait. */
  const until = async (from: Caller, offence: Offence, tried: (at: number) => string) => {
    for (let at = 1; at <= 500; at += 1) {
      const wait = await miss(from, offence, tried(at));
      if (wait !== undefined) return { misses: at, wait };
    }
    return { misses: Number.POSITIVE_INFINITY, wait: undefined };
  };
  return {
    events,
    miss,
    reads: () => reads,
    pass: (ms: number) => void (now += ms),
    settle: async () => await Promise.all(deferred.splice(0)),
    until,
  };
}

const names = async (): Promise<readonly string[]> =>
  (await env.BLOBS.list({ prefix: "b/" })).keys.map(({ name }) => name);

describe("who asks for too much that is not there", () => {
  it("a scanner is blocked after a few paths, one who enumerates sooner than a client that repeats itself", async () => {
    const { until } = isolate();
    const scanning = await until(caller(), "scan", () => "/.env");
    const guessing = await until(caller(), "guess", (at) => `/mcp/custom/${at}`);
    const repeating = await until(caller(), "guess", () => "/mcp/custom/old");
    expect(scanning).toEqual({ misses: 4, wait: 60 });
    expect(guessing.misses).toBeLessThan(repeating.misses);
    expect(guessing.misses).toBeGreaterThan(30);
    expect(repeating).toEqual({ misses: 98, wait: 60 });
  });

  it("what clients do in good faith never counts, and a slow trickle does not either", async () => {
    const { until, miss, pass } = isolate();
    const from = caller();
    expect(await until(from, "innocent", (at) => `/.well-known/${at}`)).toMatchObject({ wait: undefined });
    for (let at = 0; at < 200; at += 1) {
      expect(await miss(from, "guess", String(at))).toBeUndefined();
      pass(minute);
    }
  });

  it("each block lasts longer than the one before, to a day; a good day makes up for it", async () => {
    const { until, pass, events } = isolate();
    const from = caller();
    const waits: (number | undefined)[] = [];
    for (let round = 0; round < 7; round += 1) {
      const { wait = 0 } = await until(from, "scan", () => "/wp-login.php");
      waits.push(wait);
      pass(wait * 1000 + 1);
    }
    expect(waits).toEqual([60, 300, 1500, 7500, 37_500, 86_400, 86_400]);
    expect(events).toHaveLength(7);
    expect(events[1]).toEqual({ event: "address_blocked", strikes: 2, seconds: 300 });
    pass(24 * 60 * minute);
    expect(await until(from, "scan", () => "/wp-login.php")).toMatchObject({ wait: 60 });
  });

  it("a blocked address waits with every miss, its neighbour with none", async () => {
    const { until, miss, pass } = isolate();
    const [bad, good] = [caller(), caller()];
    await until(bad, "scan", () => "/.git/config");
    pass(20_000);
    for (const offence of ["scan", "guess", "stray", "innocent"] as const) {
      expect(await miss(bad, offence, "x")).toBe(40);
      expect(await miss(good, offence, "x")).toBeUndefined();
    }
  });

  it("another isolate learns of it from KV, once it has a reason to ask", async () => {
    const [first, second] = [isolate(), isolate()];
    const from = caller();
    await first.until(from, "scan", () => "/.env");
    await first.settle();
    expect(await second.miss(from, "guess", "a")).toBeUndefined();
    expect(await second.miss(from, "scan", "/.env")).toBeUndefined();
    expect(second.reads(), "one scanner's path is no reason").toBe(0);
    expect(await second.miss(from, "scan", "/.env")).toBeGreaterThan(50);
    expect(second.reads()).toBe(1);
    expect(await second.miss(from, "guess", "b")).toBeGreaterThan(50);
    expect(second.reads(), "it knows").toBe(1);
    expect(second.events, "only who blocks says so").toEqual([]);
  });

  it("asks KV at most once a minute for one address", async () => {
    const one = isolate();
    const from = caller();
    for (let at = 0; at < 90; at += 1) await one.miss(from, "guess", "same");
    expect(one.reads()).toBe(1);
  });

  it("the longer period is remembered across isolates, and for a day", async () => {
    const from = caller();
    const first = isolate();
    await first.until(from, "scan", () => "/.env");
    await first.settle();
    const later = isolate();
    later.pass(2 * minute);
    expect(await later.until(from, "scan", () => "/.env")).toMatchObject({ wait: 300 });
  });
});

describe("what is kept", () => {
  it("T90 no address and nothing that was tried, and it ends by itself", async () => {
    const before = await names();
    const one = isolate();
    const from = caller();
    await one.until(from, "guess", (at) => `/mcp/custom/secret-${at}`);
    await one.settle();
    const [name = "", ...others] = (await names()).filter((key) => !before.includes(key));
    expect(others).toEqual([]);
    expect(name).toMatch(/^b\/[\w-]{22}$/);
    const { keys } = await env.BLOBS.list({ prefix: name });
    expect(keys[0]?.expiration).toBeLessThan(Date.now() / 1000 + 2 * 86_400);
    const stored = `${name} ${await env.BLOBS.get(name)} ${JSON.stringify(keys)} ${JSON.stringify(one.events)}`;
    expect(stored).not.toContain(from.address);
    expect(stored).not.toContain("secret");
  });

  it("its name depends on the master key: nobody finds an address by trying all of them", async () => {
    const other = await parseKeyring({ keys: JSON.stringify([{ key: "ab".repeat(32) }]) });
    const from = caller();
    const [one, two] = [isolate(), isolate({ keyring: other })];
    const before = await names();
    for (const { until, settle } of [one, two]) {
      await until(from, "scan", () => "/.env");
      await settle();
    }
    expect((await names()).filter((name) => !before.includes(name))).toHaveLength(2);
  });

  it("nothing where there is no master key: then each isolate blocks by itself", async () => {
    const before = await names();
    const one = isolate({ keyring: undefined });
    const from = caller();
    expect(await one.until(from, "scan", () => "/.env")).toMatchObject({ wait: 60 });
    await one.settle();
    expect(await names()).toEqual(before);
    expect(one.reads()).toBe(0);
    expect(await one.miss(from, "stray", "/")).toBe(60);
  });

  it("a bounded number of addresses: who floods with new ones makes it forget, not grow", async () => {
    const one = isolate();
    const first = caller();
    for (let at = 0; at < 90; at += 1) await one.miss(first, "guess", "same");
    for (let at = 0; at < 4000; at += 1) {
      const address = `198.18.${at >> 8}.${at & 255}`;
      await one.miss({ address, bucket: address }, "stray", "/x");
    }
    expect((await one.until(first, "guess", () => "same")).misses).toBe(98);
  });

  it("KV that fails makes no refusal worse", async () => {
    const one = isolate({ blocks: { get: failing, put: failing } });
    expect(await one.until(caller(), "scan", () => "/.env")).toMatchObject({ wait: 60 });
    await expect(one.settle()).rejects.toThrow("KV");
  });
});

describe("who is never blocked", () => {
  it.each([
    ["192.0.2.7", ["192.0.2.7"]],
    ["192.0.2.7", ["198.51.100.1", "192.0.2.0/24"]],
    ["::ffff:192.0.2.7", ["192.0.2.0/24"]],
    ["2001:db8:1::5", ["2001:db8::/32"]],
    ["127.0.0.1", []],
    ["::1", []],
    ["", []],
  ])("%s where %j is allowed", async (address, allowed) => {
    const { until } = isolate({ allowed });
    expect(await until({ address, bucket: "bucket" }, "scan", () => "/.env")).toMatchObject({
      wait: undefined,
    });
  });

  it("others are, and the limit on guesses holds for everybody", async () => {
    const { until } = isolate({ allowed: ["192.0.2.0/24", "2001:db8::/32"] });
    expect(await until({ address: "192.0.3.7", bucket: "a" }, "scan", () => "/.env")).toMatchObject({
      wait: 60,
    });
    expect(await until({ address: "2001:db9::1", bucket: "b" }, "scan", () => "/")).toMatchObject({
      wait: 60,
    });
    const limited = isolate({ allowed: ["192.0.2.0/24"], guesses: async () => false });
    expect(await limited.miss({ address: "192.0.2.7", bucket: "c" }, "guess", "x")).toBe(60);
    expect(await limited.miss({ address: "192.0.2.7", bucket: "c" }, "stray", "x")).toBeUndefined();
  });
});
