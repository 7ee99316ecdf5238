import { env } from "cloudflare:workers";
import { beforeEach, expect, it } from "vitest";
import { adoptJournals } from "../../src/jobs/adopt-journals.ts";
import type { Actor, World } from "../support/refresh/world.ts";
import { createWorld, hurried, stores } from "../support/refresh/world.ts";

beforeEach(async () => {
  await env.DB.prepare("DELETE FROM connections").run();
});

const failing = Array.from({ length: 20 }, () => "before" as const);

async function run(actor: Actor, backgroundBudget = 10): Promise<number> {
  return await adoptJournals({ ...actor.deps, backgroundBudget });
}

/** Writers that stored their tokens in a journal each, and died long enough ago. */
async function dieWithJournal(worlds: readonly World[]): Promise<void> {
  for (const world of worlds) {
    const writer = world.actor({ "grants.commit": failing, "blobs.putJournal": ["killed after"] }, hurried());
    expect(await writer.refresh()).toBe("killed");
    expect(await run(world.actor()), "the writer may still be at work").toBe(0);
  }
  for (const world of worlds) await world.age(180_000);
}

it("T72 the minute job adopts what a dead writer left, without a key and without asking the provider", async () => {
  const world = await createWorld({});
  await dieWithJournal([world]);
  expect(await run(world.actor())).toBe(1);
  expect(await world.row()).toMatchObject({ gen: 2, state: "live", sent_at: 0 });
  expect(world.provider.takes((await world.present()).grant.refresh_token)).toBe(true);
  expect(world.provider.presented).toHaveLength(1);
  expect(await world.keys("j")).toEqual([]);
  expect(await run(world.actor()), "nothing is left").toBe(0);
});

it("T72 a writer that died without a journal is looked after; one that got no answer said that it is done", async () => {
  const [crashed, unanswered] = [await createWorld({}), await createWorld({})];
  expect(await crashed.actor({ "grants.intend": ["killed after"] }).refresh()).toBe("killed");
  unanswered.provider.next({ kind: "lost" });
  expect(await unanswered.actor().refresh()).toMatchObject({ kind: "later" });
  expect((await unanswered.row()).state).toBe("sent");
  for (const world of [crashed, unanswered]) await world.age(180_000);
  expect((await stores.grants.abandoned(10)).map(({ id }) => id)).toEqual([crashed.id]);
  // Its next use still may repeat the request: nobody has to be waited for.
  await unanswered.age(3_600_000);
  expect(await unanswered.actor().refresh()).not.toMatchObject({ kind: "busy" });
});

it("T72 one that cannot be adopted does not keep the others", async () => {
  const worlds = [await createWorld({}), await createWorld({}), await createWorld({})];
  await dieWithJournal(worlds);
  const actor = worlds[0]?.actor({ "grants.adopt": ["before"] });
  if (actor === undefined) throw new Error("no actor");
  expect(await run(actor)).toBe(2);
  expect(actor.events).toContainEqual(expect.objectContaining({ event: "background_failed", error: "D1" }));
  expect(await run(actor)).toBe(1);
});

it("adopts as many as its budget allows, and the next run goes on", async () => {
  const worlds = [await createWorld({}), await createWorld({}), await createWorld({})];
  await dieWithJournal(worlds);
  const [first] = worlds;
  if (first === undefined) throw new Error("no world");
  expect(await run(first.actor(), 2)).toBe(2);
  expect(await run(first.actor(), 2)).toBe(1);
});

it("reads no more of KV than its budget allows, however many writers died", async () => {
  const worlds = [await createWorld({}), await createWorld({}), await createWorld({})];
  for (const world of worlds) {
    await world.actor({ "grants.intend": ["killed after"] }).refresh();
    await world.age(180_000);
    // Many leases since: a journal may be under each name.
    await world.set("fence = 60");
  }
  const [first] = worlds;
  if (first === undefined) throw new Error("no world");
  const actor = first.actor();
  expect(await run(actor, 1)).toBe(0);
  expect(actor.executed.filter(({ call }) => call === "blobs.getJournal")).toHaveLength(20);
});

it("T72 a journal of an earlier version says nothing of when it is due", async () => {
  const world = await createWorld({ storage: "managed" });
  await dieWithJournal([world]);
  const [key = ""] = await world.keys("j");
  const name = `j/${world.id}/${key}`;
  const { value, metadata } = await env.BLOBS.getWithMetadata<Record<string, unknown>>(name);
  const { due_at: due, ...older } = metadata ?? {};
  expect(due).toBeGreaterThan(0);
  await env.BLOBS.put(name, value ?? "", { metadata: older });
  expect(await run(world.actor())).toBe(1);
  const { due_at, access_expires_at } = await world.row();
  expect(due_at).toBe(access_expires_at);
});
