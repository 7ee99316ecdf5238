import { describe, expect, it } from "vitest";
import { disconnect } from "../../src/connect/disconnect.ts";
import { regenerate } from "../../src/connect/regenerate.ts";
import { renewConnection } from "../../src/connect/renew.ts";
import { renewNow } from "../../src/grants/ensure-fresh.ts";
import { Fault } from "../../src/lib/fault.ts";
import { createWorld, hurried, type World } from "../support/refresh/world.ts";

/** A refresh that waits at the provider until `go`. */
async function refreshAtProvider(world: World, actor = world.actor()) {
  const gate = Promise.withResolvers<void>();
  world.provider.next({ kind: "answers after", wait: gate.promise });
  const before = world.provider.presented.length;
  const outcome = actor.refresh();
  await expect.poll(() => world.provider.presented.length).toBe(before + 1);
  return {
    go: async () => {
      gate.resolve();
      const refreshed = await outcome;
      await actor.settle();
      return refreshed;
    },
  };
}

async function usable(world: World): Promise<boolean> {
  return world.provider.takes((await world.present()).grant.refresh_token);
}

/** Signs in again, and stands still between taking the lease over and storing what it has, until `finish`. */
async function signInAgain(world: World) {
  const { refresh_token, access_token } = world.provider.first();
  const { grant } = await world.present();
  const [reached, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const actor = world.actor({}, Date.now, async (call) => {
    if (call !== "grants.replace") return;
    reached.resolve();
    await gate.promise;
  });
  const next = {
    grant: { ...grant, secret: access_token, refresh_token },
    storage: "zero_knowledge",
    present: world.credential,
  } as const;
  const renewing = renewConnection(world.user, world.id, next, actor.deps);
  await reached.promise;
  const finish = async () => {
    gate.resolve();
    const renewed = await renewing;
    await actor.settle();
    return renewed;
  };
  return { finish, refreshToken: refresh_token };
}

describe("one at a time", () => {
  it("T70 200 concurrent requests with an expired token: one provider call, all answered", async () => {
    const world = await createWorld();
    const held = await world.present();
    const actors = Array.from({ length: 5 }, () => world.actor());
    const renewals = Array.from({ length: 200 }, (_, at) => actors[at % actors.length]?.deps);
    const fresh = await Promise.all(
      renewals.map(async (deps) => (deps === undefined ? undefined : await renewNow(held, deps))),
    );
    expect(world.provider.presented).toHaveLength(1);
    expect(new Set(fresh.map((one) => one?.grant.secret)).size).toBe(1);
    expect(fresh[0]?.binding.generation).toBe(2);
    await Promise.all(actors.map(async (actor) => await actor.settle()));
  });

  it("T71 two crons and a user on a managed connection: one call", async () => {
    const world = await createWorld({ storage: "managed" });
    const held = await world.present();
    const actors = [world.actor(), world.actor(), world.actor()];
    const outcomes = await Promise.all(actors.map(async (actor) => await actor.refresh(held)));
    expect(world.provider.presented).toHaveLength(1);
    expect(outcomes.filter((one) => one !== "killed" && one.kind === "fresh")).not.toEqual([]);
    expect(await usable(world)).toBe(true);
  });
});

describe("T76 a refresh that ends after a disconnect", () => {
  it.each(["zero_knowledge", "managed"] as const)("T76 leaves no current grant: %s", async (storage) => {
    const world = await createWorld({ storage });
    const refresh = await refreshAtProvider(world);
    const other = world.actor();
    const present = storage === "managed" ? undefined : world.credential;
    await disconnect(world.user, world.id, { present, purge: false }, other.deps);
    expect(await refresh.go()).toEqual({ kind: "busy" });
    expect(await world.row()).toMatchObject({ gen: 1, status: "disconnected", blob: null });
    expect(world.provider.revoked, "the old one, and what came of the refresh").toHaveLength(2);
    expect(new Set(world.provider.revoked).size).toBe(2);
    expect(await world.keys("j")).toEqual([]);
    expect(await world.actor().refresh(await createHeldOf(world))).toEqual({ kind: "gone" });
  });

  it("T76 the journal of one that D1 did not take is deleted, its token revoked", async () => {
    const world = await createWorld();
    const disconnected = Promise.withResolvers<void>();
    let commits = 0;
    // Two fail before the answer; the others come when the connection is gone.
    const turn = async (call: string) => {
      if (call === "grants.commit" && (commits += 1) > 2) await disconnected.promise;
    };
    const actor = world.actor({ "grants.commit": ["before", "before"] }, hurried(), turn);
    const held = await world.present();
    const refreshed = await actor.refresh(held);
    expect(refreshed).toMatchObject({ kind: "fresh" });
    const other = world.actor();
    await disconnect(world.user, world.id, { present: undefined, purge: true }, other.deps);
    disconnected.resolve();
    await actor.settle();
    expect(await world.keys("j")).toEqual([]);
    expect(world.provider.revoked).toHaveLength(1);
    expect(await world.row()).toMatchObject({ gen: 1, status: "disconnected" });
  });

  it("T76 a journal whose writer died is revoked with the grant", async () => {
    const world = await createWorld();
    const plan = {
      "grants.commit": Array.from({ length: 20 }, () => "before" as const),
      "blobs.putJournal": ["killed after"],
    } as const;
    expect(await world.actor(plan, hurried()).refresh()).toBe("killed");
    const other = world.actor();
    const options = { present: world.credential, purge: false };
    await disconnect(world.user, world.id, options, other.deps);
    expect(await world.keys("j")).toEqual([]);
    expect(world.provider.revoked).toHaveLength(2);
  });
});

async function createHeldOf(world: World) {
  const other = await createWorld();
  const { key, binding, grant } = await other.present();
  return { key, grant, binding: { ...binding, connectionId: world.id } };
}

describe("T78 two writers at once", () => {
  it("T78 regenerate while a refresh is at the provider waits for it: nothing is lost", async () => {
    const world = await createWorld();
    const refresh = await refreshAtProvider(world);
    const { deps } = world.actor();
    const attempt = regenerate(world.user, world.id, world.credential, deps);
    await expect(attempt).rejects.toMatchObject({ code: "grant_delayed" });
    expect(await refresh.go()).toMatchObject({ kind: "fresh" });
    const { credential } = await regenerate(world.user, world.id, world.credential, deps);
    expect((await world.row()).gen).toBe(3);
    const present = await world.present(credential ?? undefined);
    expect(world.provider.takes(present.grant.refresh_token)).toBe(true);
    await expect(world.present()).rejects.toThrow();
  });

  it("T78 a refresh that finds a regeneration done is gone, and sends nothing", async () => {
    const world = await createWorld();
    const held = await world.present();
    const { credential } = await regenerate(world.user, world.id, world.credential, world.actor().deps);
    expect(await world.actor().refresh(held)).toEqual({ kind: "gone" });
    expect(world.provider.presented).toEqual([]);
    const present = await world.present(credential ?? undefined);
    expect(world.provider.takes(present.grant.refresh_token)).toBe(true);
  });

  it("T78 a regeneration that died with the lease holds nobody up for longer than that", async () => {
    const world = await createWorld();
    const dead = world.actor({ "grants.replace": ["killed before"] });
    void regenerate(world.user, world.id, world.credential, dead.deps);
    await dead.killed;
    expect(await world.actor().refresh()).toEqual({ kind: "busy" });
    await world.age(46_000);
    expect(await world.actor().refresh()).toMatchObject({ kind: "fresh" });
  });

  it("T78 signing in again while a refresh is at the provider: the new sign-in stands", async () => {
    const world = await createWorld();
    const refresh = await refreshAtProvider(world);
    const again = await signInAgain(world);
    expect((await again.finish()).credential, "the address stays").toBeNull();
    expect(await refresh.go()).toEqual({ kind: "busy" });
    expect((await world.present()).grant.refresh_token).toBe(again.refreshToken);
    expect(await world.row()).toMatchObject({ gen: 2, state: "live", sent_at: 0 });
    expect(await world.keys("j")).toEqual([]);
    expect(world.provider.revoked, "which could have ended the new grant too").toEqual([]);
  });

  it("T78 a sign-in that dies after taking the lease over leaves the refresh's tokens to be adopted", async () => {
    const world = await createWorld();
    const refresh = await refreshAtProvider(world, world.actor({}, hurried()));
    const again = await signInAgain(world);
    expect(await refresh.go()).toMatchObject({ kind: "fresh" });
    expect(await world.keys("j")).toEqual(["2/1"]);
    expect(world.provider.revoked).toEqual([]);
    await world.age(180_000);
    expect(await world.actor().refresh()).toMatchObject({ kind: "fresh" });
    expect(world.provider.presented).toHaveLength(1);
    expect(await usable(world)).toBe(true);
    await expect(again.finish(), "too late").rejects.toMatchObject({ code: "storage_unavailable" });
    expect(await usable(world)).toBe(true);
  });

  it("a suspended connection keeps what its refresh brought", async () => {
    const world = await createWorld();
    const refresh = await refreshAtProvider(world);
    await world.set("status = 'suspended'");
    await refresh.go();
    expect(await world.row()).toMatchObject({ gen: 2, status: "suspended" });
    expect(await usable(world)).toBe(true);
    await expect(renewNow(await world.present(), world.actor().deps)).rejects.toBeInstanceOf(Fault);
  });
});
