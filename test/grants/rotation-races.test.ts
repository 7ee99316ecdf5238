import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { parseKeyring, type Keyring } from "../../src/vault/keyring.ts";
import { faultyStores } from "../support/refresh/faulty.ts";
import { createWorld, type World } from "../support/refresh/world.ts";
import {
  all,
  createWorker,
  keyringOf,
  makeKey,
  request,
  stores,
  wipe,
  type Worker,
} from "../support/rotation.ts";

/** For tests that go through every step in turn, ms. */
/** Stops whoever asks at the nth question, until it is opened. */
function gateAt(nth: number): {
  readonly turn: () => Promise<void>;
  readonly reached: Promise<void>;
  readonly open: () => void;
} {
  const [reached, opened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let asked = 0;
  return {
    turn: async () => {
      asked += 1;
      if (asked !== nth) return;
      reached.resolve();
      await opened.promise;
    },
    reached: reached.promise,
    open: () => opened.resolve(),
  };
}

async function ownKeyring(): Promise<Keyring> {
  const keyring = await parseKeyring({ keys: env.MANAGED_ENCRYPTION_KEYS });
  if (keyring === undefined) throw new Error("the tests have a master key");
  return keyring;
}

/** The grant is the living one: nobody revoked it, and the provider takes its refresh token. */
async function expectAlive(world: World): Promise<void> {
  const { grant } = await world.present();
  expect(world.provider.alive).toBe(true);
  expect(world.provider.revoked).toEqual([]);
  expect(world.provider.takes(grant.refresh_token)).toBe(true);
}

async function replaceKeys(keyring: Keyring): Promise<Worker> {
  await request(keyring.active.fingerprint, true);
  await env.DB.prepare("UPDATE rotations SET rewrapped_at = 1, settled_at = 1").run();
  return createWorker(keyring);
}

const dataKeyOf = async (world: World) =>
  (
    await all<{ rotation_id: number }>(
      "SELECT rotation_id FROM data_keys WHERE id = ?1",
      (await world.row()).data_key_id ?? "",
    )
  )[0];

beforeEach(wipe);

describe("T78 re-encrypting while a refresh is on its way", () => {
  it("T16 T78 wherever the refresh is, one of the two orders results, and the new tokens are kept", async () => {
    let over = false;
    for (let at = 1; !over; at += 1) {
      await wipe();
      const world = await createWorld({ storage: "managed" });
      const worker = await replaceKeys(await ownKeyring());
      const held = await world.present();
      const gate = gateAt(at);
      const actor = world.actor({}, undefined, gate.turn);
      const refreshing = actor.refresh(held);
      over = (await Promise.race([refreshing.then(() => "over"), gate.reached])) === "over";
      await worker.rotate();
      gate.open();
      const refreshed = await refreshing;
      await actor.settle();
      expect(world.provider.presented.length, `paused at ${at}`).toBeLessThanOrEqual(1);
      await expectAlive(world);
      // Whoever had to wait comes after.
      await worker.rotate();
      if (refreshed !== "killed" && refreshed.kind !== "fresh") await world.actor().refresh();
      await worker.rotate();
      await expectAlive(world);
      expect(await dataKeyOf(world)).toMatchObject({ rotation_id: 1 });
      expect(
        world.provider.rotations,
        "renewed once, or read the generation that re-encryption made",
      ).toBeLessThan(2);
    }
  });

  it("T78 wherever the re-encryption is, a refresh loses nothing", async () => {
    let over = false;
    for (let at = 1; !over; at += 1) {
      await wipe();
      const world = await createWorld({ storage: "managed" });
      const keyring = await ownKeyring();
      await replaceKeys(keyring);
      const gate = gateAt(at);
      const worker = createWorker(keyring, faultyStores(stores, {}, gate.turn).stores);
      const rotating = worker.rotate();
      over = (await Promise.race([rotating.then(() => "over"), gate.reached])) === "over";
      const actor = world.actor();
      expect(await actor.refresh()).toMatchObject({ kind: "fresh" });
      gate.open();
      await rotating;
      await actor.settle();
      await expectAlive(world);
      await worker.rotate();
      await expectAlive(world);
      expect(await dataKeyOf(world)).toMatchObject({ rotation_id: 1 });
      expect(world.provider.rotations).toBe(1);
    }
  });

  it("a call that was admitted before goes on with the new data key", async () => {
    const world = await createWorld({ storage: "managed" });
    const held = await world.present();
    await (await replaceKeys(await ownKeyring())).rotate();
    const refreshed = await world.actor().refresh(held);
    expect(refreshed).toMatchObject({ kind: "fresh" });
    // What it got is the same tokens, sealed again: renewing them works.
    if (refreshed === "killed" || refreshed.kind !== "fresh") return;
    expect(await world.actor().refresh(refreshed.held)).toMatchObject({ kind: "fresh" });
    await expectAlive(world);
  });

  it("tokens that only a journal holds are adopted first", async () => {
    const world = await createWorld({ storage: "managed" });
    const failing = { "grants.commit": Array.from({ length: 40 }, () => "before" as const) };
    const actor = world.actor(failing, () => Date.now() + performance.now() * 1000);
    await actor.refresh();
    expect(await world.keys("j")).toHaveLength(1);
    actor.kill();
    const worker = await replaceKeys(await ownKeyring());
    await worker.rotate();
    expect(await dataKeyOf(world), "its writer may still be there").toMatchObject({ rotation_id: 0 });
    await world.age(3_600_000);
    await worker.rotate();
    await worker.rotate();
    await expectAlive(world);
    expect(await dataKeyOf(world)).toMatchObject({ rotation_id: 1 });
    expect(await world.keys("j")).toEqual([]);
  });
});

describe("T16 adding wrappings while a refresh is on its way", () => {
  it("T16 wherever the refresh is, its tokens are kept, and old and new deployments open them", async () => {
    let over = false;
    for (let at = 1; !over; at += 1) {
      await wipe();
      const world = await createWorld({ storage: "managed" });
      const [own, key] = [await ownKeyring(), await makeKey()];
      const added = await keyringOf(key);
      const both: Keyring = {
        active: added.active,
        byFingerprint: new Map([...own.byFingerprint, ...added.byFingerprint]),
        fingerprints: [...own.fingerprints, ...added.fingerprints],
      };
      await request(key.fingerprint);
      const gate = gateAt(at);
      const actor = world.actor({}, undefined, gate.turn);
      const refreshing = actor.refresh(await world.present());
      over = (await Promise.race([refreshing.then(() => "over"), gate.reached])) === "over";
      await createWorker(both).rotate();
      gate.open();
      expect(await refreshing).toMatchObject({ kind: "fresh" });
      await actor.settle();
      await expectAlive(world);
      const { grant } = await world.present();
      expect(await createWorker(added).open(world.id)).toBe(grant.secret);
    }
  });
});
