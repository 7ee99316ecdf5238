import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { FaultPlan } from "../support/refresh/faulty.ts";
import { createWorld, hurried, type World, type WorldOptions } from "../support/refresh/world.ts";

/** Longer than a lease and the wait for a journal after it. */
const longAfter = 180_000;

/** A process that meets these faults and is then gone for good. */
async function crash(world: World, plan: FaultPlan, clock = Date.now): Promise<void> {
  const actor = world.actor(plan, clock);
  expect(await actor.refresh()).toBe("killed");
}

async function usable(world: World): Promise<boolean> {
  return world.provider.takes((await world.present()).grant.refresh_token);
}

/** Another process, after the dead one's lease and whatever it may have left are old enough. */
async function recover(world: World): Promise<string> {
  await world.age(longAfter);
  const actor = world.actor();
  const outcome = await actor.refresh();
  await actor.settle();
  return outcome === "killed" ? outcome : outcome.kind;
}

const providers: readonly (readonly [string, WorldOptions])[] = [
  ["without leeway", {}],
  ["with leeway", { service: "linear", grace: 1_800_000 }],
];

describe.each(providers)("T72 a crash, provider %s", (_, options) => {
  it.each([
    ["before the lease", { "grants.acquire": ["killed before"] }, 1],
    ["after the lease", { "grants.acquire": ["killed after"] }, 1],
    ["after re-reading the row", { "grants.read": [undefined, "killed after"] }, 1],
    ["before the intent", { "grants.intend": ["killed before"] }, 1],
    ["after the intent", { "grants.intend": ["killed after"] }, 1],
    ["after the commit, before the KV copy", { "grants.commit": ["killed after"] }, 1],
  ] as const)("T72 %s loses nothing and asks once", async (_name, plan, calls) => {
    const world = await createWorld(options);
    const held = await world.present();
    await crash(world, plan);
    await world.age(longAfter);
    const next = world.actor();
    const outcome = await next.refresh(held);
    await next.settle();
    expect(outcome).toMatchObject({ kind: "fresh", held: { binding: { generation: 2 } } });
    expect(world.provider.presented).toHaveLength(calls);
    expect(await usable(world)).toBe(true);
    expect(await world.row()).toMatchObject({ gen: 2, state: "live", sent_at: 0 });
  });

  it("T72 right after the journal: it is adopted, one call", async () => {
    const world = await createWorld(options);
    const failing = Array.from({ length: 20 }, () => "before" as const);
    await crash(world, { "grants.commit": failing, "blobs.putJournal": ["killed after"] }, hurried());
    expect(await world.row()).toMatchObject({ gen: 1, state: "sent" });
    expect(await world.keys("j")).toEqual(["2/1"]);
    expect(await recover(world)).toBe("fresh");
    expect(world.provider.presented).toHaveLength(1);
    expect(await usable(world)).toBe(true);
    expect(await world.keys("j")).toEqual([]);
    expect(await world.keys("t")).toContain("2/1");
  });

  it("T72 the dead process is waited for until its journal would be visible", async () => {
    const world = await createWorld(options);
    await crash(world, { "grants.intend": ["killed after"] });
    expect(await world.actor().refresh()).toEqual({ kind: "busy" });
    await world.age(46_000);
    const early = world.actor();
    expect(await early.refresh(), "the lease is over, KV's delay is not").toEqual({ kind: "busy" });
    const looked = early.executed.filter(({ call }) => call === "blobs.getJournal");
    expect(looked, "KV would remember the miss").toEqual([]);
    expect(world.provider.presented).toEqual([]);
    await world.age(60_000);
    expect(await world.actor().refresh()).toMatchObject({ kind: "fresh" });
  });
});

describe("T72 a crash between the provider's answer and the first durable write", () => {
  const plan = { "grants.commit": ["killed before"] } as const;

  it("without leeway it costs the grant, and that is said", async () => {
    const world = await createWorld();
    await crash(world, plan);
    expect(await recover(world)).toBe("reauth");
    expect(await world.row()).toMatchObject({ gen: 1, state: "reauth" });
    const row = await env.DB.prepare("SELECT reauth_since FROM connections WHERE id = ?1")
      .bind(world.id)
      .first();
    expect(row?.["reauth_since"]).toBeGreaterThan(0);
  });

  it("with leeway a repeat inside the grace recovers", async () => {
    const world = await createWorld({ service: "linear", grace: 1_800_000 });
    await crash(world, plan);
    expect(await recover(world)).toBe("fresh");
    expect(await usable(world)).toBe(true);
  });

  it("while the old access token is valid, a used refresh token is not sent again", async () => {
    const world = await createWorld();
    await env.DB.prepare(
      "UPDATE connections SET access_expires_at = access_expires_at + 600000 WHERE id = ?1",
    )
      .bind(world.id)
      .run();
    await crash(world, plan);
    expect(await recover(world)).toBe("later");
    expect(world.provider.presented).toHaveLength(1);
    await world.age(600_000);
    expect(await world.actor().refresh()).toEqual({ kind: "reauth" });
  });

  it("T73 of a service where reuse revokes the whole application, nothing is sent after the grace", async () => {
    const world = await createWorld({ service: "todoist", grace: 60_000, graceWithoutRefreshToken: true });
    await crash(world, plan);
    expect(await recover(world)).toBe("reauth");
    expect(world.provider.presented).toHaveLength(1);
    expect(world.provider.alive).toBe(true);
  });

  it("T73 nor by whoever comes after a second process that died with the lease", async () => {
    const world = await createWorld({ service: "todoist", grace: 600_000, graceWithoutRefreshToken: true });
    await world.age(0);
    const lost = world.actor();
    world.provider.next({ kind: "lost" });
    expect(await lost.refresh()).toMatchObject({ kind: "later" });
    await world.age(2000);
    await crash(world, { "grants.acquire": ["killed after"] });
    expect(await recover(world)).toBe("reauth");
    expect(world.provider.presented).toHaveLength(1);
    expect(world.provider.alive).toBe(true);
  });
});

describe("T72 a late journal", () => {
  it("is adopted out of reauth", async () => {
    const world = await createWorld();
    const failing = Array.from({ length: 20 }, () => "before" as const);
    await crash(world, { "grants.commit": failing, "blobs.putJournal": ["killed after"] }, hurried());
    const [journal] = await world.keys("j");
    const stored = await env.BLOBS.getWithMetadata(`j/${world.id}/${journal}`);
    await env.BLOBS.delete(`j/${world.id}/${journal}`);
    expect(await recover(world)).toBe("reauth");
    expect(await world.actor().refresh(), "and stays so").toEqual({ kind: "reauth" });
    await env.BLOBS.put(`j/${world.id}/${journal}`, stored.value ?? "", { metadata: stored.metadata });
    expect(await recover(world)).toBe("fresh");
    expect(await world.row()).toMatchObject({ gen: 2, state: "live", blob_fence: 1 });
    expect(await usable(world)).toBe(false);
  });

  it("of two, the newest is taken, and a key that lies outside the leases is not", async () => {
    const world = await createWorld();
    const held = await world.present();
    await env.DB.prepare("UPDATE connections SET state = 'sent', sent_at = 1, fence = 3 WHERE id = ?1")
      .bind(world.id)
      .run();
    const facts = { access_expires_at: 5, refreshable: true, scope: null, due_at: 4 };
    for (const fence of [1, 3, 4]) {
      await env.BLOBS.put(`j/${world.id}/2/${fence}`, `blob-${fence}`, { metadata: facts });
    }
    const actor = world.actor();
    await expect(actor.refresh(held), "the planted text opens nothing").rejects.toThrow();
    expect(await world.row()).toMatchObject({ gen: 2, blob: "blob-3", blob_fence: 3, access_expires_at: 5 });
  });
});
