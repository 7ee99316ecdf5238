import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { disconnect } from "../../src/connect/disconnect.ts";
import { renewConnection } from "../../src/connect/renew.ts";
import { retryRevocations } from "../../src/jobs/retry-revocations.ts";
import { OutboundError } from "../../src/lib/outbound.ts";
import { createOauthHttp } from "../../src/oauth/http.ts";
import { createWorld, type World } from "../support/refresh/world.ts";

const hour = 3_600_000;
const day = 24 * hour;

beforeEach(async () => {
  await env.DB.batch([env.DB.prepare("DELETE FROM connections"), env.DB.prepare("DELETE FROM audit_queue")]);
});

const down = createOauthHttp(async () => await Promise.reject(new OutboundError("unreachable")));

async function end(world: World): Promise<string> {
  const { deps } = world.actor();
  const nothing = { present: undefined, purge: false };
  const ended = await disconnect(world.user, world.id, nothing, {
    ...deps,
    oauth: down,
  });
  return ended?.revocation.outcome ?? "";
}

async function run(world: World, oauth = world.actor().deps.oauth): Promise<number> {
  return await retryRevocations({ ...world.actor().deps, oauth, backgroundBudget: 10 });
}

async function state(world: World): Promise<{ revocation: string; blob: string | null }> {
  const found = await env.DB.prepare("SELECT revocation, blob FROM connections WHERE id = ?1")
    .bind(world.id)
    .first<{ revocation: string; blob: string | null }>();
  if (found === null) throw new Error("no row");
  return found;
}

async function later(world: World, ms: number): Promise<void> {
  await world.set(`disconnected_at = disconnected_at - ${ms}, revocation_at = revocation_at - ${ms}`);
}

async function told(world: World): Promise<readonly unknown[]> {
  const sql =
    "SELECT detail FROM audit_queue WHERE connection_id = ?1 AND type = 'provider_revocation' ORDER BY id";
  const { results } = await env.DB.prepare(sql).bind(world.id).all<{ detail: string }>();
  return results.map(({ detail }) => JSON.parse(detail));
}

it("what a provider did not revoke is revoked once it is back, and on record", async () => {
  const world = await createWorld({ storage: "managed" });
  const { refresh_token: token } = (await world.present()).grant;
  expect(await end(world)).toBe("pending");
  expect(await run(world), "not at once again").toBe(0);
  await later(world, hour + 1000);
  expect(await run(world, down)).toBe(1);
  expect((await state(world)).revocation).toBe("pending");
  expect(await told(world)).toEqual([]);
  await later(world, hour + 1000);
  expect(await run(world)).toBe(1);
  expect(world.provider.revoked).toEqual([token]);
  expect(await state(world)).toEqual({ revocation: "revoked", blob: null });
  expect(await world.keys("t")).toEqual([]);
  expect(await told(world)).toEqual([{ outcome: "revoked" }]);
  await later(world, day);
  expect(await run(world)).toBe(0);
});

it("tries come ever later, a day apart at most, and the last ends it", async () => {
  const world = await createWorld({ storage: "managed" });
  await end(world);
  const tries: number[] = [];
  const step = 4;
  for (let hours = step; hours <= 30 * 24; hours += step) {
    await later(world, step * hour);
    if ((await run(world, down)) === 1) tries.push(hours);
  }
  const gaps = tries.map((at, index) => at - (tries[index - 1] ?? 0));
  expect(tries.length).toBeGreaterThan(20);
  expect(tries.length).toBeLessThan(60);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(24 + step);
  expect(gaps.at(6)).toBeGreaterThan(gaps[0] ?? 0);
  expect(await state(world)).toEqual({ revocation: "failed", blob: null });
  expect(await told(world)).toEqual([{ outcome: "failed" }]);
});

it("runs that overlap ask once", async () => {
  const world = await createWorld({ storage: "managed" });
  await end(world);
  await later(world, 2 * hour);
  const done = await Promise.all([run(world), run(world), run(world)]);
  expect(done.filter((tried) => tried === 1)).toHaveLength(1);
  expect(world.provider.revoked).toHaveLength(1);
});

it("the person connected again meanwhile: what is in use is not ended", async () => {
  const world = await createWorld({ storage: "managed" });
  await end(world);
  const again = await createWorld({ storage: "managed" });
  await env.DB.prepare("UPDATE connections SET workspace_id = ?2 WHERE id = ?1")
    .bind(again.id, world.user.workspace_id)
    .run();
  await later(world, 2 * hour);
  await run(world);
  expect(world.provider.revoked).toEqual([]);
  expect((await state(world)).revocation).toBe("skipped");
  expect(await told(world)).toEqual([{ outcome: "skipped" }]);
});

async function signIn(world: World): Promise<void> {
  const { deps } = world.actor();
  const { grant } = await world.present();
  const next = {
    grant: { ...grant, refresh_token: "new" },
    storage: "managed",
    present: undefined,
  } as const;
  await renewConnection(world.user, world.id, next, deps);
}

describe("the person takes it back", () => {
  it.each(["grants.read", "revocations.claim", "blobs.get"])("before %s: the new grant lives", async (at) => {
    const world = await createWorld({ storage: "managed" });
    await end(world);
    await world.set("blob = NULL");
    await later(world, 2 * hour);
    let signedIn = false;
    const { deps } = world.actor(undefined, undefined, async (call) => {
      if (call !== at || signedIn) return;
      signedIn = true;
      await signIn(world);
    });
    await retryRevocations({ ...deps, backgroundBudget: 10 });
    expect(signedIn).toBe(true);
    expect(world.provider.revoked).toEqual([]);
    expect((await world.present()).grant.refresh_token).toBe("new");
    expect(await told(world)).toEqual([]);
  });

  it("between two tries: nothing is asked again", async () => {
    const world = await createWorld({ storage: "managed" });
    await end(world);
    await later(world, 2 * hour);
    let asked = 0;
    const oauth = createOauthHttp(async () => {
      asked += 1;
      await signIn(world);
      throw new OutboundError("unreachable");
    });
    await run(world, oauth);
    expect(asked).toBe(1);
    expect((await world.row()).status).toBe("active");
  });
});

it("a provider that is down is not asked for all of its grants, and holds up no other", async () => {
  const worlds: World[] = [];
  for (let at = 0; at < 8; at += 1) {
    const world = await createWorld({ storage: "managed" });
    await end(world);
    await later(world, 2 * hour + (10 - at) * 1000);
    worlds.push(world);
  }
  const last = worlds.at(-1);
  if (last === undefined) throw new Error("no world");
  await last.set("issuer = 'https://other.example'");
  expect(await run(last, down)).toBeLessThanOrEqual(5);
  const row = await env.DB.prepare("SELECT revocation_at FROM connections WHERE id = ?1")
    .bind(last.id)
    .first<{
      revocation_at: number;
    }>();
  expect(row?.revocation_at, "it was tried").toBeGreaterThan(Date.now() - hour);
});

it("nothing new begins after a minute", async () => {
  for (let at = 0; at < 3; at += 1) {
    const world = await createWorld({ storage: "managed" });
    await end(world);
    await later(world, 2 * hour);
  }
  const world = await createWorld();
  let now = Date.now();
  const clock = () => (now += 25_000);
  expect(await retryRevocations({ ...world.actor().deps, clock, oauth: down, backgroundBudget: 10 })).toBe(1);
});

it("a user-held one that was left half-way waits for its credential again", async () => {
  const world = await createWorld();
  const { connections } = world.actor().deps.stores;
  await connections.disconnect(world.user.workspace_id, world.id, "pending", true, {
    actor: "owner",
    service: "custom",
  });
  await later(world, 2 * hour);
  await run(world);
  expect((await state(world)).revocation).toBe("awaiting_credential");
  expect(world.provider.revoked).toEqual([]);
});
