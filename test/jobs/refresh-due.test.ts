import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { renewBeside, renewNow } from "../../src/grants/ensure-fresh.ts";
import { adoptJournals } from "../../src/jobs/adopt-journals.ts";
import { OutboundError } from "../../src/lib/outbound.ts";
import { runDue } from "../support/refresh/due.ts";
import { answering, refusing } from "../support/refresh/provider.ts";
import { createWorld, hurried, stores, type World } from "../support/refresh/world.ts";

const managed = { storage: "managed" } as const;
const minute = 60_000;

beforeEach(async () => {
  await env.DB.batch([env.DB.prepare("DELETE FROM connections"), env.DB.prepare("DELETE FROM audit_queue")]);
});

async function some(count: number): Promise<readonly World[]> {
  const worlds: World[] = [];
  for (let at = 0; at < count; at += 1) worlds.push(await createWorld(managed));
  return worlds;
}

/** ms until the background looks again; null: it does not. */
async function dueIn(world: World): Promise<number | null> {
  const { due_at, now } = await world.row();
  return due_at === null ? null : due_at - now;
}

async function told(world: World): Promise<readonly unknown[]> {
  const { results } = await env.DB.prepare(
    "SELECT type, detail, actor, workspace_id, service FROM audit_queue WHERE connection_id = ?1 ORDER BY id",
  )
    .bind(world.id)
    .all<{ type: string; detail: string; actor: string; workspace_id: string }>();
  for (const { actor, workspace_id } of results)
    expect({ actor, workspace_id }).toEqual({ actor: "system", workspace_id: world.user.workspace_id });
  return results.map(({ type, detail }) => [type, JSON.parse(detail)]);
}

describe("managed connections that nobody uses", () => {
  it("are kept alive across many expiries, and each renewal is on record", async () => {
    const world = await createWorld(managed);
    for (let hour = 1; hour <= 24; hour += 1) {
      expect((await runDue([world])).done).toBe(1);
      const wait = (await dueIn(world)) ?? 0;
      // A token of an hour: five minutes before its end, and up to five more.
      expect(wait).toBeGreaterThan(49 * minute);
      expect(wait).toBeLessThanOrEqual(55 * minute);
      expect((await runDue([world])).done, "not due yet").toBe(0);
      await world.age(60 * minute);
    }
    expect(world.provider.presented).toHaveLength(24);
    expect(world.provider.takes((await world.present()).grant.refresh_token)).toBe(true);
    expect(await world.row()).toMatchObject({ gen: 25, state: "live" });
    expect(await told(world)).toEqual(
      Array.from({ length: 24 }, () => ["refresh_succeeded", { by: "schedule" }]),
    );
  });

  it("spread out: what is made at once does not come due at once", async () => {
    const worlds = await some(8);
    await runDue(worlds);
    expect(
      new Set(await Promise.all(worlds.map(async (world) => (await world.row()).due_at))).size,
    ).toBeGreaterThan(6);
  });

  it("user-held ones are never due, and nothing of them is tried", async () => {
    const world = await createWorld();
    expect(await dueIn(world)).toBeNull();
    await world.actor().refresh();
    expect(await dueIn(world)).toBeNull();
    await world.set("due_at = 1");
    expect((await runDue([world])).done).toBe(0);
    expect(await dueIn(world)).toBeNull();
    expect(world.provider.presented).toHaveLength(1);
  });

  it("a renewal by a call is on record as such, in either storage mode", async () => {
    for (const options of [managed, {}]) {
      const world = await createWorld(options);
      await world.actor().refresh();
      expect(await told(world)).toEqual([["refresh_succeeded", { by: "request" }]]);
    }
  });

  it("one that was disconnected or suspended meanwhile is left alone", async () => {
    const [gone, suspended] = await some(2);
    if (gone === undefined || suspended === undefined) throw new Error("no worlds");
    await stores.connections.disconnect(gone.user.workspace_id, gone.id, "skipped", false, {
      actor: "owner",
      service: "custom",
    });
    expect(await dueIn(gone)).toBeNull();
    await suspended.set("status = 'suspended'");
    expect((await runDue([gone, suspended])).done).toBe(0);
    expect(await dueIn(suspended), "whoever restores it needs to set nothing").toBeGreaterThan(
      23 * 60 * minute,
    );
    await suspended.set("status = 'active'");
    await suspended.age(31 * 60 * minute);
    expect((await runDue([suspended])).done).toBe(1);
    expect(await suspended.row()).toMatchObject({ gen: 2, state: "live" });
  });

  it("one that is suspended while the provider answers is due again too", async () => {
    const world = await createWorld(managed);
    await runDue([world], {
      around: (send) => async (url, request) => {
        await world.set("status = 'suspended'");
        return await send(url, request);
      },
    });
    expect(await world.row()).toMatchObject({ gen: 2, state: "live", status: "suspended" });
    expect(await dueIn(world)).toBeGreaterThan(45 * minute);
  });

  it("one that is suspended just before it is looked at keeps its place", async () => {
    const world = await createWorld(managed);
    await runDue([world], {
      turn: async (call) => (call === "grants.read" ? await world.set("status = 'suspended'") : undefined),
    });
    expect(world.provider.presented).toEqual([]);
    expect(await dueIn(world)).toBeGreaterThan(0);
  });

  it("a token that nothing renews ends in a wish for a sign-in, once", async () => {
    const world = await createWorld(managed);
    await world.set("refreshable = 0");
    expect((await runDue([world])).events).toContainEqual(expect.objectContaining({ reauthorize: 1 }));
    expect(await world.row()).toMatchObject({ state: "reauth", due_at: null });
    expect(await told(world)).toEqual([["refresh_failed", { by: "schedule", reason: "ended" }]]);
  });
});

describe("T71 several at once", () => {
  it("T71 two crons and a user: one call to the provider", async () => {
    const world = await createWorld(managed);
    const held = await world.present();
    const [, , renewed] = await Promise.all([
      runDue([world]),
      runDue([world]),
      renewNow(held, world.actor().deps),
    ]);
    expect(world.provider.presented).toHaveLength(1);
    expect(renewed.binding.generation).toBe(2);
    expect(await world.row()).toMatchObject({ gen: 2, state: "live" });
    expect(await dueIn(world)).toBeGreaterThan(0);
  });

  it("T71 runs that overlap share the work", async () => {
    const worlds = await some(6);
    await Promise.all([runDue(worlds), runDue(worlds), runDue(worlds)]);
    for (const world of worlds) expect(world.provider.presented).toHaveLength(1);
  });

  it("T71 a call renewed it after the run had read it: nothing is asked, and its time stays", async () => {
    const world = await createWorld(managed);
    let due: number | null = null;
    await runDue([world], {
      turn: async (call) => {
        if (call !== "grants.read" || due !== null) return;
        await world.actor().refresh();
        due = (await world.row()).due_at;
      },
    });
    expect(world.provider.presented).toHaveLength(1);
    expect(due).toBeGreaterThan(Date.now());
    expect((await world.row()).due_at).toBe(due);
  });
});

describe("T9 a master key that is not loaded", () => {
  it("T9 is said, put off, and holds up nothing else", async () => {
    const worlds = await some(3);
    const [orphan, ...others] = worlds;
    if (orphan === undefined) throw new Error("no world");
    const { data_key_id } = await orphan.row();
    const rename =
      "UPDATE data_key_wrappings SET fingerprint = ?2 WHERE data_key_id = ?1 RETURNING fingerprint";
    const original = "SELECT fingerprint FROM data_key_wrappings WHERE data_key_id = ?1";
    const fingerprint = await env.DB.prepare(original).bind(data_key_id).first<string>("fingerprint");
    await env.DB.prepare(rename).bind(data_key_id, "0123456789abcdef").run();
    const { done, events } = await runDue(worlds);
    expect(done).toBe(2);
    expect(events).toContainEqual({ event: "keys_not_loaded", connections: 1 });
    expect(orphan.provider.presented).toEqual([]);
    expect(await orphan.row()).toMatchObject({ gen: 1, state: "live", fence: 0 });
    expect(await dueIn(orphan)).toBeGreaterThan(59 * minute);
    for (const world of others) expect(world.provider.presented).toHaveLength(1);

    // A newer version of the worker is there, and has it.
    await orphan.set("due_at = 1");
    await stores.loadedKeys.report(["0123456789abcdef"], "0123456789abcdef");
    await runDue(worlds);
    expect(await dueIn(orphan)).toBeLessThan(7 * minute);
    await env.DB.prepare("DELETE FROM loaded_keys").run();

    await env.DB.prepare(rename).bind(data_key_id, fingerprint).run();
    await orphan.age(80 * minute);
    expect((await runDue(worlds)).events, "the key is back").toContainEqual(
      expect.objectContaining({ renewed: 1 }),
    );
  });

  it("a grant that does not fit its row is said, and the next is served", async () => {
    const worlds = await some(2);
    await worlds[0]?.set("service = 'linear'");
    const { events } = await runDue(worlds);
    expect(events).toContainEqual({
      event: "grant_unreadable",
      connection: worlds[0]?.id,
      error: "VaultError",
    });
    expect(events).toContainEqual(expect.objectContaining({ renewed: 1, unreadable: 1 }));
  });
});

describe("what one run does", () => {
  it("stays within its budget, longest due first, and the next run goes on", async () => {
    const worlds = await some(5);
    for (const [at, world] of worlds.entries()) await world.set(`due_at = ${at + 1}`);
    const asked = () => worlds.map((world) => world.provider.presented.length).join("");
    expect((await runDue(worlds, { budget: 2 })).done).toBe(2);
    expect(asked()).toBe("11000");
    expect((await runDue(worlds, { budget: 2 })).done).toBe(2);
    expect(asked()).toBe("11110");
    expect((await runDue(worlds, { budget: 2 })).done).toBe(1);
    expect(asked()).toBe("11111");
    expect((await runDue(worlds, { budget: 2 })).done).toBe(0);
  });

  it("begins nothing new after twenty seconds", async () => {
    const worlds = await some(3);
    let now = Date.now();
    expect((await runDue(worlds, { clock: () => (now += 15_000) })).done).toBeLessThan(3);
  });

  it("D1 that fails for one connection does not keep the others from being renewed", async () => {
    const worlds = await some(3);
    const { events } = await runDue(worlds, { plan: { "grants.acquire": ["before"] } });
    expect(events).toContainEqual(expect.objectContaining({ event: "background_failed", error: "D1" }));
    expect(events).toContainEqual(expect.objectContaining({ renewed: 2, unreadable: 1 }));
  });

  it.each(["due.page", "grants.read"])(
    "a %s that fails ends no refresh that is under way",
    async (broken) => {
      const worlds = await some(3);
      let [pages, reads] = [0, 0];
      const fails = (call: string): boolean => {
        if (call === "due.page") pages += 1;
        if (call === "grants.read") reads += 1;
        return broken === "due.page" ? call === broken && pages > 1 : call === broken && reads === 2;
      };
      const run = runDue(worlds, {
        turn: async (call) => {
          if (fails(call)) throw new Error("D1_ERROR: gone");
          await Promise.resolve();
        },
        around: (send) => async (url, request) => {
          await new Promise((resolve) => setTimeout(resolve, 30));
          return await send(url, request);
        },
      });
      if (broken === "due.page") await expect(run).rejects.toThrow("D1_ERROR");
      else await run;
      // What was asked for was stored before the run ended.
      const renewed = worlds.filter((world) => world.provider.presented.length === 1);
      expect(renewed.length).toBeGreaterThanOrEqual(2);
      for (const world of renewed) expect(await world.row()).toMatchObject({ gen: 2, state: "live" });
    },
  );

  it("T72 an adopted journal brings its time along", async () => {
    const world = await createWorld(managed);
    const failing = Array.from({ length: 20 }, () => "before" as const);
    const writer = world.actor({ "grants.commit": failing, "blobs.putJournal": ["killed after"] }, hurried());
    expect(await writer.refresh()).toBe("killed");
    await world.age(180_000);
    expect(await adoptJournals({ ...world.actor().deps, backgroundBudget: 10 })).toBe(1);
    expect(await dueIn(world)).toBeGreaterThan(45 * minute);
    expect(await told(world)).toEqual([["refresh_succeeded", { by: "schedule", reason: "recovered" }]]);
  });
});

describe("a provider that gives no tokens", () => {
  it("T74 is asked ever less often, and that it refuses is on record once", async () => {
    const world = await createWorld(managed);
    world.provider.next(answering(503, ""), answering(503, ""), answering(503, ""));
    let before = 0;
    for (let tries = 1; tries <= 3; tries += 1) {
      const { events } = await runDue([world]);
      expect(events).toContainEqual(expect.objectContaining({ later: 1 }));
      const wait = (await dueIn(world)) ?? 0;
      expect(wait).toBeGreaterThan(2 * minute);
      expect(wait).toBeLessThan(20 * minute);
      expect(wait).toBeGreaterThanOrEqual(before * 0.7);
      before = wait;
      expect((await runDue([world])).done).toBe(0);
      await world.age(wait + 1000);
    }
    expect(world.provider.presented).toHaveLength(3);
    await runDue([world]);
    expect(await world.row()).toMatchObject({ gen: 2, state: "live" });
    expect(await told(world)).toEqual([
      ["refresh_failed", { by: "schedule", reason: "refused" }],
      ["refresh_succeeded", { by: "schedule" }],
    ]);
  });

  it("T74 one that answered is not asked again beside, and not before a minute", async () => {
    const world = await createWorld(managed);
    // Before calls would begin to renew: nothing has been due for long.
    const { grant } = await world.present();
    world.provider.next(answering(503, ""));
    const { deps } = world.actor(undefined, () =>
      grant.expires_at === null ? 0 : grant.expires_at - 3_000_000,
    );
    expect(await renewBeside(await world.present(), deps)).toMatchObject({ kind: "later", retryAfter: 1000 });
    expect(world.provider.presented).toHaveLength(1);
    expect(await dueIn(world)).toBeGreaterThan(0.9 * minute);
  });

  it("for good: the grant waits for a sign-in, and the background for nothing", async () => {
    const world = await createWorld(managed);
    world.provider.next(refusing(400, "invalid_grant"));
    const { events } = await runDue([world]);
    expect(events).toContainEqual(expect.objectContaining({ reauthorize: 1 }));
    expect(await world.row()).toMatchObject({ state: "reauth", due_at: null });
    expect(await told(world)).toEqual([["refresh_failed", { by: "schedule", reason: "permanent" }]]);
    await world.age(86_400_000);
    expect((await runDue([world])).done).toBe(0);
    expect(world.provider.presented).toHaveLength(1);
  });

  it("an answer that is lost is repeated inside the grace, and told once", async () => {
    const world = await createWorld({ ...managed, service: "linear", grace: 30 * minute });
    world.provider.next({ kind: "lost" });
    await runDue([world]);
    expect(world.provider.presented).toHaveLength(2);
    expect(await world.row()).toMatchObject({ gen: 2, state: "live" });
    expect(await told(world)).toEqual([
      ["refresh_failed", { by: "schedule", reason: "no_answer" }],
      ["refresh_succeeded", { by: "schedule" }],
    ]);
  });

  it("an outage: a few are tried, the rest wait; afterwards they come back, two at a time", async () => {
    const worlds = await some(8);
    let sent = 0;
    const down = await runDue(worlds, {
      around: () => async () => {
        sent += 1;
        await Promise.resolve();
        throw new OutboundError("unreachable");
      },
    });
    // Three in a row and one that was under way, each with its repeat.
    expect(sent).toBeLessThanOrEqual(8);
    expect(down.events).toContainEqual(expect.objectContaining({ renewed: 0, later: 8 }));
    for (const world of worlds) expect(await dueIn(world)).toBeGreaterThan(0);

    for (const world of worlds) await world.age(20 * minute);
    let [open, most] = [0, 0];
    const two = Promise.withResolvers<void>();
    const up = await runDue(worlds, {
      around: (send) => async (url, request) => {
        open += 1;
        most = Math.max(most, open);
        if (open === 2) two.resolve();
        await two.promise;
        const answer = await send(url, request);
        open -= 1;
        return answer;
      },
    });
    expect(up.events).toContainEqual(expect.objectContaining({ renewed: 8 }));
    expect(most).toBe(2);
    for (const world of worlds) expect(world.provider.presented).toHaveLength(1);
  });
});

describe("T77 metadata", () => {
  it("T77 what the background writes of its own touches neither blob nor generation nor state", async () => {
    const world = await createWorld(managed);
    const { due } = stores;
    const before = await world.row();
    const keys = await world.keys("t");
    const { id, gen, due_at } = before;
    expect(await due.claim({ id, due_at: due_at ?? 0 }, 1000)).toBe(true);
    expect(await due.claim({ id, due_at: due_at ?? 0 }, 1000), "one gets it").toBe(false);
    await due.refused({ id, gen }, null);
    await due.works({ id, gen });
    await due.ended({ id, gen });
    await due.putOff([{ id, due_at: (await world.row()).due_at ?? 0, delay: 5000 }]);
    const after = await world.row();
    expect(after.due_at).not.toBe(due_at);
    expect({ ...after, now: 0, due_at: 0 }).toEqual({ ...before, now: 0, due_at: 0 });
    expect(await world.keys("t")).toEqual(keys);
  });
});
