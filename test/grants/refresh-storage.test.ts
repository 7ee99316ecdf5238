import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { StoreFault } from "../support/refresh/faulty.ts";
import { createWorld, hurried, type World } from "../support/refresh/world.ts";

const always = (fault: StoreFault): StoreFault[] => Array.from({ length: 40 }, () => fault);

async function usable(world: World): Promise<boolean> {
  return world.provider.takes((await world.present()).grant.refresh_token);
}

describe("T73 D1 and KV fail under a refresh at a rotating provider", () => {
  it.each([
    ["once before executing the commit", ["before"]],
    ["once after executing it", ["after"]],
    ["three times, executing it in between", ["before", "after", "before"]],
  ] as const)("T73 D1 fails %s: stored, one call", async (_, faults) => {
    const world = await createWorld();
    const actor = world.actor({ "grants.commit": faults });
    expect(await actor.refresh()).toMatchObject({ kind: "fresh", held: { binding: { generation: 2 } } });
    await actor.settle();
    expect(world.provider.presented).toHaveLength(1);
    expect(await world.row()).toMatchObject({ gen: 2, state: "live", blob_fence: 1 });
    expect(await usable(world)).toBe(true);
    expect(world.provider.revoked).toEqual([]);
  });

  it("T73 D1 takes nothing: the caller has its token, the journal has the grant, and D1 gets it later", async () => {
    const world = await createWorld();
    // As many as the time before the answer allows, and one after it.
    const actor = world.actor({ "grants.commit": always("before").slice(0, 4) }, hurried());
    const outcome = await actor.refresh();
    expect(outcome).toMatchObject({ kind: "fresh" });
    expect(actor.events).toContainEqual(expect.objectContaining({ event: "refreshed", stored: "journaled" }));
    await actor.settle();
    expect(await world.row()).toMatchObject({ gen: 2, state: "live" });
    expect(await world.keys("j"), "not to be adopted any more").toEqual([]);
    expect(await usable(world)).toBe(true);
  });

  it("T73 a commit that was executed while the journal was written is not done twice", async () => {
    const world = await createWorld();
    const actor = world.actor(
      {
        "grants.commit": always("after"),
        "grants.read": [undefined, undefined, ...always("before").slice(0, 3)],
      },
      hurried(),
    );
    expect(await actor.refresh()).toMatchObject({ kind: "fresh" });
    await actor.settle();
    expect(await world.row()).toMatchObject({ gen: 2, state: "live" });
    expect(world.provider.revoked).toEqual([]);
    expect(await usable(world)).toBe(true);
  });

  it("T73 D1 and KV take nothing for a while: the work goes on after the answer", async () => {
    const world = await createWorld();
    const plan = { "grants.commit": always("before").slice(0, 4), "blobs.putJournal": always("before") };
    const actor = world.actor(plan, hurried());
    expect(await actor.refresh()).toMatchObject({ kind: "fresh" });
    expect(actor.events).toContainEqual(expect.objectContaining({ event: "refreshed", stored: "nowhere" }));
    await actor.settle();
    expect(await world.row()).toMatchObject({ gen: 2, state: "live" });
    expect(await usable(world)).toBe(true);
  });

  it("T73 KV refuses the copy: the row carries the blob, and readers use it", async () => {
    const world = await createWorld();
    const actor = world.actor({ "blobs.put": always("before") });
    expect(await actor.refresh()).toMatchObject({ kind: "fresh" });
    await actor.settle();
    expect(await world.keys("t")).toEqual(["1/0"]);
    const row = await env.DB.prepare("SELECT blob, blob_copied_at FROM connections WHERE id = ?1")
      .bind(world.id)
      .first();
    expect(row?.["blob"]).toEqual(expect.any(String));
    expect(row?.["blob_copied_at"], "the minute job still owes the copy").toBeNull();
    expect(await usable(world)).toBe(true);
  });

  it("T73 KV does not show the current blob yet: a delay, the lease given back, and nothing sent", async () => {
    const world = await createWorld();
    const held = await world.present();
    await env.DB.prepare("UPDATE connections SET blob = NULL WHERE id = ?1").bind(world.id).run();
    const actor = world.actor({ "blobs.get": always("before") });
    await expect(actor.refresh(held)).rejects.toThrow();
    expect(world.provider.presented).toEqual([]);
    expect(await world.row()).toMatchObject({ state: "live", gen: 1 });
    expect(await world.actor().refresh(held)).toMatchObject({ kind: "fresh" });
  });

  it.each(["grants.acquire", "grants.intend"])("T73 D1 fails at %s: nothing is sent", async (call) => {
    for (const fault of ["before", "after"] as const) {
      const world = await createWorld();
      await expect(world.actor({ [call]: [fault] }).refresh()).rejects.toThrow("D1_ERROR");
      expect(world.provider.presented).toEqual([]);
      await world.age(180_000);
      expect(await world.actor().refresh()).toMatchObject({ kind: "fresh" });
      expect(world.provider.presented).toHaveLength(1);
    }
  });

  it.each(["before", "after"] as const)(
    "T74 D1 fails %s noting a refusal: it is asked again later",
    async (fault) => {
      const world = await createWorld();
      world.provider.next({ kind: "answer", answer: () => new Response("", { status: 500 }) });
      await expect(world.actor({ "grants.postpone": [fault] }).refresh()).rejects.toThrow("D1_ERROR");
      await world.age(3_600_000);
      expect(await world.actor().refresh()).toMatchObject({ kind: "fresh" });
    },
  );
});

describe("T77 metadata", () => {
  it("T77 no write of metadata touches the blob, its generation or its state", async () => {
    const world = await createWorld();
    const { connections, grants, due, revocations } = world.actor().deps.stores;
    const before = await world.row();
    const keys = await world.keys("t");
    await connections.setLabel(world.user.workspace_id, world.id, "Another", "owner");
    await connections.touch(world.id, 0);
    await grants.wantScope(world.id, "more");
    await revocations.set(world.id, "pending", "revoked", null);
    await connections.markBlobsCopied([]);
    await due.putOff([{ id: world.id, due_at: 1, delay: 1 }]);
    expect({ ...(await world.row()), now: 0 }).toEqual({ ...before, now: 0 });
    expect(await world.keys("t")).toEqual(keys);
  });

  it("T77 nor takes the blob of a generation that came meanwhile", async () => {
    const world = await createWorld();
    const { connections } = world.actor().deps.stores;
    const due = (await connections.blobsToCopy(1000)).filter(({ id }) => id === world.id);
    expect(due).toHaveLength(1);
    const actor = world.actor();
    await actor.refresh();
    await connections.markBlobsCopied(due);
    await connections.clearCopiedBlobs(-1000);
    expect((await world.row()).blob).toEqual(expect.any(String));
    expect(await usable(world)).toBe(true);
  });
});
