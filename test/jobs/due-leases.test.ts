import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { renewConnection } from "../../src/connect/renew.ts";
import { runDue } from "../support/refresh/due.ts";
import { createWorld, stores, type World } from "../support/refresh/world.ts";

const managed = { storage: "managed" } as const;
const minute = 60_000;

beforeEach(async () => {
  await env.DB.prepare("DELETE FROM connections").run();
});

/** ms until the background looks again; null: it does not. */
async function dueIn(world: World): Promise<number | null> {
  const { due_at, now } = await world.row();
  return due_at === null ? null : due_at - now;
}

/** The state of a row, once it was taken over and handed back. */
async function after(assignment: string): Promise<string> {
  const world = await createWorld(managed);
  await world.set(assignment);
  const lease = await stores.grants.takeOver(world.id, 45_000);
  if (lease === null) throw new Error("no lease");
  await stores.grants.handBack(lease);
  return (await world.row()).state;
}

describe("a lease that nobody holds any more", () => {
  it("T72 does not keep a token that nothing renews due for ever", async () => {
    const world = await createWorld(managed);
    await world.set("refreshable = 0");
    // Whoever took it over died.
    await stores.grants.takeOver(world.id, 45_000);
    await runDue([world]);
    expect(await world.row(), "it may live").toMatchObject({ state: "leased" });
    expect(await dueIn(world), "the next in line are not kept waiting").toBeGreaterThan(0);
    await world.age(2 * minute);
    await runDue([world]);
    expect(await world.row()).toMatchObject({ state: "reauth", due_at: null });
  });

  it("is handed back as it was found, unless a token request is on its way", async () => {
    expect(await after("refreshable = 1")).toBe("live");
    expect(await after("state = 'reauth', reauth_since = 1")).toBe("reauth");
    expect(await after("state = 'reauth', reauth_since = 1, sent_at = 1")).toBe("reauth");
    expect(await after("state = 'sent', sent_at = 1"), "its tokens may be on their way").toBe("leased");
  });

  it("a sign-in that cannot be stored leaves no lease behind", async () => {
    const world = await createWorld(managed);
    const { grant } = await world.present();
    const actor = world.actor({ "grants.replace": ["before"] });
    const next = { grant, storage: "managed", present: undefined } as const;
    await expect(renewConnection(world.user, world.id, next, actor.deps)).rejects.toThrow("D1_ERROR");
    expect(await world.row()).toMatchObject({ gen: 1, state: "live" });
  });
});

describe("tokens that end at once", () => {
  it("a server that says so is not asked each minute", async () => {
    const world = await createWorld(managed);
    world.provider.next({ kind: "shaped", shape: (tokens) => ({ ...tokens, expires_in: 1 }) });
    await runDue([world]);
    expect(await world.row()).toMatchObject({ gen: 2, refreshable: 1 });
    expect(await dueIn(world)).toBeGreaterThan(14 * minute);
    expect(await dueIn(world)).toBeLessThan(20 * minute);
  });
});
