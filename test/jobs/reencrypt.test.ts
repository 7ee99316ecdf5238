import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { workspaceKey } from "../../src/grants/grant-key.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { progressQuery } from "../../src/store/rotation-queries.ts";
import {
  dataKeys,
  everyoneOpens,
  finish,
  longEnough,
  setUp,
  settle,
  state,
  type SetUp,
} from "../support/reencryption.ts";
import { all, createWorker, makeWorkspace, mortal, pass, request, stores } from "../support/rotation.ts";

/** For tests that go through every step in turn, ms. */
let up: SetUp;

beforeEach(async () => {
  up = await setUp(2, 2);
});

describe("re-encrypting", () => {
  it("waits for every deployment that lacks the target", async () => {
    await request(up.target.fingerprint, true);
    await up.before.report();
    await up.both.rotate();
    await up.both.rotate();
    expect(await dataKeys()).toHaveLength(2);
    await everyoneOpens(up, up.before);
  });

  it("moves every grant to a new data key that only the target opens, and deletes the old ones", async () => {
    await settle(up);
    await finish(up);
    expect((await state())?.finished_at).not.toBeNull();
    const keys = await dataKeys();
    expect(keys.map((key) => key.wrapped_by)).toEqual([up.target.fingerprint, up.target.fingerprint]);
    await everyoneOpens(up, up.after);
    const audited = await all("SELECT 1 FROM audit_queue WHERE type = 'data_key_replaced'");
    expect(audited, "once for each workspace").toHaveLength(2);
    expect((await all(progressQuery(up.target.fingerprint)))[0]).toMatchObject({
      replaceable: 0,
      connections: 4,
      connections_left: 0,
      unreadable: 0,
    });
    expect(await all("SELECT name FROM superseded_blobs")).toHaveLength(4);
  });

  it("T9 what was moved is a typed failure for a deployment without the target", async () => {
    await settle(up);
    await up.both.rotate();
    await expect(up.before.open(up.connections[0] ?? "")).rejects.toMatchObject({ code: "unknown_key" });
  });

  it("keeps an old data key for those who took it before there was a new one", async () => {
    await settle(up);
    await up.both.rotate();
    expect(await dataKeys()).toHaveLength(4);
    const id = (await dataKeys()).find((key) => key.rotation_id === 0)?.id ?? "";
    await env.DB.prepare(
      "UPDATE connections SET data_key_id = ?1, blob = 'AQE', status = 'active' WHERE id = ?2",
    )
      .bind(id, up.connections[0] ?? "")
      .run();
    await finish(up);
    const left = (await dataKeys()).filter((key) => key.rotation_id === 0);
    expect(
      left.map((key) => key.id),
      "in use, though it opens nothing",
    ).toEqual([id]);
    expect((await state())?.finished_at).toBeNull();
    expect(up.both.events).toContainEqual(
      expect.objectContaining({ event: "rotation_unreadable", count: 1 }),
    );
  });

  it("what is new while it runs is under the target only, and under the new data key", async () => {
    await settle(up);
    const fresh = await makeWorkspace();
    await up.both.connect(fresh);
    const made = (await dataKeys()).find((key) => key.owner === fresh);
    expect(made).toMatchObject({ wrapped_by: up.target.fingerprint });
    await up.both.rotate();
    const owner = (await dataKeys()).find((key) => key.owner !== fresh)?.owner ?? "";
    const key = await workspaceKey(owner, up.both.keyring, "test", stores.dataKeys, systemRandom);
    expect((await dataKeys()).find(({ id }) => id === key.dataKeyId)?.rotation_id).toBeGreaterThan(0);
    await finish(up);
    expect(
      (await dataKeys()).some(({ id }) => id === made?.id),
      "no need to replace it",
    ).toBe(true);
  });

  it("T15 killed at any call of the storage, a rerun completes, and every connection opens throughout", async () => {
    let survived = false;
    for (let at = 1; !survived; at += 1) {
      for (const when of ["before", "after"] as const) {
        up = await setUp(2, 1);
        await settle(up);
        const faulty = mortal(at, when);
        const worker = createWorker(up.both.keyring, faulty.stores);
        const killed = await Promise.race([worker.rotate(), faulty.killed]);
        await everyoneOpens(up, up.both);
        await finish(up);
        expect((await state())?.finished_at, `killed ${when} call ${at}`).not.toBeNull();
        expect(await dataKeys()).toHaveLength(2);
        await everyoneOpens(up, up.after);
        if (killed !== "killed") survived = true;
      }
    }
  });

  it("T15 killed while it deletes, a rerun completes", async () => {
    let survived = false;
    for (let at = 1; !survived; at += 1) {
      up = await setUp(1, 1);
      await settle(up);
      await up.both.rotate();
      await pass(longEnough);
      const faulty = mortal(at, "after");
      const killed = await Promise.race([
        createWorker(up.both.keyring, faulty.stores).rotate(),
        faulty.killed,
      ]);
      await up.both.rotate();
      await up.both.rotate();
      expect((await state())?.finished_at).not.toBeNull();
      expect(await all("SELECT 1 FROM audit_queue WHERE type = 'data_key_replaced'")).toHaveLength(1);
      await everyoneOpens(up, up.after);
      if (killed !== "killed") survived = true;
    }
  });

  it("two runs at once move each grant once", async () => {
    await settle(up);
    await Promise.all([up.both.rotate(), up.both.rotate(), up.both.rotate()]);
    expect(await dataKeys()).toHaveLength(4);
    expect(await all("SELECT gen FROM connections")).toEqual(up.connections.map(() => ({ gen: 2 })));
    await everyoneOpens(up, up.after);
  });
});
