import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { fromHex, toBase64Url } from "../../src/lib/bytes.ts";
import { systemRandom } from "../../src/lib/random.ts";
import {
  progressQuery,
  referencesQuery,
  removeWrappingsStatement,
  silence,
} from "../../src/store/rotation-queries.ts";
import { createDataKey, wrapDataKey } from "../../src/vault/data-key.ts";
import { findLeaks, storageHaystacks, textCanary } from "../support/canary.ts";
import { createInstance } from "../support/instance.ts";
import {
  all,
  createWorker,
  keyringOf,
  makeKey,
  makeWorkspace,
  mortal,
  pass,
  request,
  stores,
  wipe,
  type MadeKey,
  type Worker,
} from "../support/rotation.ts";
import { dump } from "../support/storage.ts";

/** For tests that go through every step in turn, ms. */
let [old, target]: MadeKey[] = [];
let [before, both]: Worker[] = [];
let connections: readonly string[] = [];

const minute = 60_000;

function given<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("not set up");
  return value;
}

async function setUp(workspaces: number): Promise<void> {
  await wipe();
  [old, target] = [await makeKey(), await makeKey()];
  before = createWorker(await keyringOf(old));
  both = createWorker(await keyringOf(old, target));
  const made: string[] = [];
  for (let at = 0; at < workspaces; at += 1) made.push(await before.connect(await makeWorkspace()));
  connections = made;
}

beforeEach(async () => await setUp(3));

/** Each of these deployments opens every connection. */
async function everyoneOpens(...workers: readonly (Worker | undefined)[]): Promise<void> {
  for (const worker of workers) {
    for (const id of connections) expect(await given(worker).open(id)).toMatch(/^secret of wsp_/);
  }
}

const wrappings = async (key: MadeKey | undefined) =>
  (await all("SELECT data_key_id FROM data_key_wrappings WHERE fingerprint = ?1", given(key).fingerprint))
    .length;

const state = async () =>
  (
    await all<{ rewrapped_at: number | null; settled_at: number | null; finished_at: number | null }>(
      "SELECT rewrapped_at, settled_at, finished_at FROM rotations ORDER BY id DESC LIMIT 1",
    )
  )[0];

describe("a new data key", () => {
  it("is wrapped for every loaded master key", async () => {
    const id = await given(both).connect(await makeWorkspace());
    expect(await given(before).open(id)).toContain("secret");
    expect(await createWorker(await keyringOf(given(target))).open(id)).toContain("secret");
  });
});

describe("a rotation", () => {
  it("is worked on only where the target is loaded and active", async () => {
    await request(given(target).fingerprint);
    const passive = createWorker(await keyringOf(given(target), given(old)));
    expect([await given(before).rotate(), await passive.rotate()]).toEqual([0, 0]);
    expect(await wrappings(target)).toBe(0);
    expect(await given(both).rotate()).toBe(3);
    expect(await wrappings(target)).toBe(3);
  });

  it("T15 killed at any call of the storage, a rerun completes, and every connection opens throughout", async () => {
    let survived = false;
    for (let at = 1; !survived; at += 1) {
      for (const when of ["before", "after"] as const) {
        await setUp(2);
        await request(given(target).fingerprint);
        const faulty = mortal(at, when);
        const worker = createWorker(given(both).keyring, faulty.stores);
        const ended = await Promise.race([worker.rotate(), faulty.killed]);
        await everyoneOpens(before, both);
        if (ended !== "killed") survived = true;
        await given(both).rotate();
        expect((await state())?.rewrapped_at, `killed ${when} call ${at}`).not.toBeNull();
        await everyoneOpens(before, both, createWorker(await keyringOf(given(target))));
        const audited = await all("SELECT 1 FROM audit_queue WHERE type = 'master_key_rotated'");
        expect(audited, "each workspace is told once").toHaveLength(2);
      }
    }
  });

  it("T15 no byte of a master key is in D1 or KV, nor in a line of the log", async () => {
    await request(given(target).fingerprint);
    await given(both).report();
    await given(both).rotate();
    const canaries = [given(old), given(target)].flatMap(({ hex }) => [
      { name: "master key", bytes: fromHex(hex) ?? new Uint8Array() },
      textCanary("master key as text", hex),
    ]);
    const logged = given(both).events.map((event) => ({ place: "log", text: JSON.stringify(event) }));
    expect(findLeaks([...storageHaystacks(await dump(createInstance().env)), ...logged], canaries)).toEqual(
      [],
    );
  });

  it("two runs at once add each wrapping once", async () => {
    await request(given(target).fingerprint);
    await Promise.all([given(both).rotate(), given(both).rotate(), given(both).rotate()]);
    await given(both).rotate();
    expect(await wrappings(target)).toBe(3);
    expect(await all("SELECT 1 FROM audit_queue WHERE type = 'master_key_rotated'")).toHaveLength(3);
    expect(given(both).events.filter((event) => event.event === "rotation_advanced")).toHaveLength(1);
    await everyoneOpens(before, both);
  });

  it("settles once no deployment lacks the target for 15 minutes, with what such a one made meanwhile", async () => {
    await request(given(target).fingerprint);
    await given(before).report();
    await given(both).report();
    await given(both).rotate();
    const late = await given(before).connect(await makeWorkspace());
    await pass(silence - minute);
    await given(both).rotate();
    expect((await state())?.settled_at).toBeNull();
    await pass(2 * minute);
    await given(both).rotate();
    expect(await state()).not.toMatchObject({ settled_at: null });
    expect((await state())?.finished_at).not.toBeNull();
    expect(await createWorker(await keyringOf(given(target))).open(late)).toContain("secret");
  });

  it("a data key that does not open is left, counted and said, and keeps no other waiting", async () => {
    await env.DB.prepare(
      "UPDATE data_key_wrappings SET wrapped = 'AQE' WHERE data_key_id = (SELECT MIN(id) FROM data_keys)",
    ).run();
    await request(given(target).fingerprint);
    expect(await given(both).rotate()).toBe(2);
    await given(both).rotate();
    expect((await state())?.rewrapped_at).not.toBeNull();
    expect(given(both).events).toContainEqual({
      event: "rotation_unreadable",
      fingerprint: given(target).fingerprint,
      count: 1,
    });
    const [left] = await all<{ data_keys: number; connections: number }>(
      referencesQuery(given(old).fingerprint),
    );
    await given(both).report();
    expect(left).toMatchObject({ data_keys: 3 });
    const [reported] = await all(referencesQuery(given(old).fingerprint));
    expect(reported).toMatchObject({ wrappings: 3, data_keys: 1, connections: 1 });
  });

  it("T17 a key is not removed where nothing else opens a data key; registrations are counted", async () => {
    await env.DB.batch([
      env.DB.prepare("INSERT INTO data_keys (id, owner, created_at) VALUES ('00', 'deployment', 0)"),
      env.DB.prepare("INSERT INTO data_key_wrappings VALUES ('00', ?1, 'AQE', 0)").bind(
        given(old).fingerprint,
      ),
      env.DB.prepare(
        `INSERT INTO client_registrations (id, issuer, redirect_uri, client_id, method, data_key_id, sealed, created_at)
         VALUES ('reg_1', 'i', 'r', 'c', 'none', '00', 'x', 0)`,
      ),
    ]);
    await request(given(target).fingerprint);
    await given(both).rotate();
    await given(both).report();
    const references = referencesQuery(given(old).fingerprint);
    expect((await all(references))[0]).toEqual({
      wrappings: 4,
      data_keys: 1,
      connections: 0,
      client_registrations: 1,
      flows: 0,
    });
    for (let at = 0; at < 2; at += 1)
      await env.DB.prepare(removeWrappingsStatement(given(old).fingerprint)).run();
    expect((await all(references))[0]).toMatchObject({ wrappings: 1, data_keys: 1, client_registrations: 1 });
    await everyoneOpens(both);
    const blind = removeWrappingsStatement(given(target).fingerprint);
    await env.DB.prepare(blind).run();
    expect(await wrappings(target), "the only ones of theirs").toBe(3);
  });

  it("500 data keys take a bounded number of queries", async () => {
    await env.DB.prepare(
      `WITH RECURSIVE n (at) AS (SELECT 1 UNION ALL SELECT at + 1 FROM n WHERE at < 500)
       INSERT INTO data_keys (id, owner, created_at) SELECT printf('%016x', at), 'wsp_many', 0 FROM n`,
    ).run();
    const { active } = given(before).keyring;
    const many = await Promise.all(
      Array.from({ length: 500 }, async (_, at) => {
        const id = (at + 1).toString(16).padStart(16, "0");
        const key = await createDataKey((length) =>
          length === 8 ? (fromHex(id) ?? systemRandom(8)) : systemRandom(length),
        );
        return { id, wrapped: toBase64Url(await wrapDataKey(key, "wsp_many", active, "test", systemRandom)) };
      }),
    );
    await stores.rotations.addWrappings(active.fingerprint, many);
    await request(given(target).fingerprint);
    const counted = mortal(Number.POSITIVE_INFINITY, "before");
    await createWorker(given(both).keyring, counted.stores).rotate();
    expect(counted.calls()).toBeLessThan(25);
    const [progress] = await all(progressQuery(given(target).fingerprint));
    expect(progress).toMatchObject({ data_keys: 503, wrapped: 503, unreadable: 0 });
    expect((await state())?.rewrapped_at).not.toBeNull();
  });

  it("a later rotation overtakes an earlier one, and inherits the wish to re-encrypt", async () => {
    await request(given(old).fingerprint, true);
    await request(given(target).fingerprint);
    await request(given(target).fingerprint);
    await given(both).rotate();
    expect(await all("SELECT reencrypt, finished_at IS NULL AS open FROM rotations ORDER BY id")).toEqual([
      { reencrypt: 1, open: 0 },
      { reencrypt: 1, open: 1 },
    ]);
  });
});
