import { describe, expect, it } from "vitest";
import { backOff, refreshFrom } from "../../src/grants/refresh-policy.ts";
import { minute, second } from "../../src/lib/clock.ts";
import { answering, refusing, type Behaviour } from "../support/refresh/provider.ts";
import { createWorld } from "../support/refresh/world.ts";

describe("T74 an answer without tokens is no reason to sign in again", () => {
  const html = { "content-type": "text/html" };
  it.each([
    ["500", answering(500, "oops")],
    ["503 that names a permanent code", refusing(503, "invalid_grant")],
    ["429", answering(429, "")],
    ["429 that names a permanent code", refusing(429, "invalid_grant")],
    ["HTML with status 200", answering(200, "<!doctype html><p>maintenance", html)],
    ["HTML with status 404", answering(404, "<!doctype html>", html)],
    ["an empty 200", answering(200, "")],
    ["JSON that is no token answer", answering(200, '{"hello":true}')],
    ["a token of another type", answering(200, '{"access_token":"a","token_type":"mac"}')],
    ["an unknown 4xx code", refusing(400, "slow_down_please")],
    ["temporarily_unavailable", refusing(400, "temporarily_unavailable")],
    ["a redirect", answering(302, "", { location: "https://elsewhere.example/token" })],
  ] satisfies [string, Behaviour][])("T74 %s", async (_, behaviour) => {
    const world = await createWorld();
    world.provider.next(behaviour);
    const outcome = await world.actor().refresh();
    expect(outcome).toMatchObject({ kind: "later" });
    const state = await world.row();
    expect(state).toMatchObject({ state: "live", gen: 1, sent_at: 0 });
    expect(state.retry_at - state.now).toBeGreaterThan(0);
    expect(await world.actor().refresh(), "not asked again before that").toMatchObject({ kind: "later" });
    expect(world.provider.presented).toHaveLength(1);
    await world.age(15 * minute);
    expect(await world.actor().refresh()).toMatchObject({ kind: "fresh" });
    expect(world.provider.presented).toHaveLength(2);
    expect(await world.row()).toMatchObject({ gen: 2, state: "live", retry_at: 0 });
  });

  it("T74 not even after a day of them", async () => {
    const world = await createWorld();
    for (let at = 0; at < 100; at += 1) {
      world.provider.next(at % 2 === 0 ? answering(500, "") : answering(200, "<html>"));
      await world.actor().refresh();
      expect((await world.row()).state).toBe("live");
      await world.age(15 * minute);
    }
    expect(await world.actor().refresh()).toMatchObject({ kind: "fresh" });
  });

  it("Retry-After is obeyed, as seconds or as a date, and bounded", async () => {
    for (const [value, low, high] of [
      ["30", 10, 30],
      [new Date(Date.now() + 60_000).toUTCString(), 30, 60],
      ["86400", 840, 900],
      ["soon", 0, 900],
    ] as const) {
      const world = await createWorld();
      world.provider.next(answering(429, "", { "retry-after": value }));
      await world.actor().refresh();
      const { retry_at, now } = await world.row();
      expect((retry_at - now) / second, value).toBeGreaterThan(low);
      expect((retry_at - now) / second, value).toBeLessThanOrEqual(high);
    }
  });

  it("waits grow from one second to a quarter of an hour", () => {
    expect([0, 4, 60, 600, 7200].map((due) => backOff(due * second, undefined) / second)).toEqual([
      1, 2, 30, 300, 900,
    ]);
  });

  it("a renewal is due five minutes before the end, or a tenth of the life", () => {
    expect(refreshFrom({ issued_at: 0, expires_at: 3_600_000 })).toBe(3_300_000);
    expect(refreshFrom({ issued_at: 0, expires_at: 2000 })).toBe(1800);
    expect(refreshFrom({ issued_at: 0, expires_at: null })).toBe(Infinity);
  });
});

describe("no answer", () => {
  it.each([
    ["reset", { kind: "lost" }],
    ["broken off", { kind: "truncated" }],
  ] as const)("T73 %s, inside the grace: the repeat brings the tokens", async (_, behaviour) => {
    const world = await createWorld({ service: "linear", grace: 30 * minute });
    world.provider.next(behaviour);
    expect(await world.actor().refresh()).toEqual({ kind: "later", retryAfter: 1000, unanswered: true });
    expect(await world.row()).toMatchObject({ state: "sent", gen: 1 });
    await world.age(-minute);
    expect(await world.actor().refresh(), "not at once").toMatchObject({ kind: "later" });
    await world.age(minute + second);
    expect(await world.actor().refresh()).toMatchObject({ kind: "fresh" });
    expect(world.provider.presented).toHaveLength(2);
    expect(world.provider.takes((await world.present()).grant.refresh_token)).toBe(true);
  });

  it("T74 an unreachable provider never ends in reauth, however long", async () => {
    const world = await createWorld();
    for (let at = 0; at < 20; at += 1) {
      world.provider.next({ kind: "unreachable" });
      expect(await world.actor().refresh()).toMatchObject({ kind: "later" });
      await world.age(minute);
    }
    expect(await world.actor().refresh()).toMatchObject({ kind: "fresh" });
  });

  it("the grace is counted from the first request, not from the last", async () => {
    const world = await createWorld({
      service: "todoist",
      grace: 60 * second,
      graceWithoutRefreshToken: true,
    });
    world.provider.next({ kind: "lost" }, { kind: "unreachable" });
    await world.actor().refresh();
    await world.age(50 * second);
    expect(await world.actor().refresh(), "still inside").toMatchObject({ kind: "later" });
    await world.age(20 * second);
    expect(await world.actor().refresh(), "70 s after the first").toEqual({ kind: "reauth" });
    expect(world.provider.presented).toHaveLength(2);
    expect(world.provider.alive, "no reuse after the grace").toBe(true);
  });

  it("a refusal of the repeat does not make the first one answered", async () => {
    const world = await createWorld({
      service: "todoist",
      grace: 60 * second,
      graceWithoutRefreshToken: true,
    });
    world.provider.next({ kind: "lost" }, answering(429, "", { "retry-after": "90" }));
    await world.actor().refresh();
    await world.age(2 * second);
    expect(await world.actor().refresh()).toMatchObject({ kind: "later" });
    expect(await world.row()).toMatchObject({ state: "sent" });
    await world.age(100 * second);
    expect(await world.actor().refresh()).toEqual({ kind: "reauth" });
    expect(world.provider.alive).toBe(true);
  });

  it("without a known grace, a repeat waits for the old access token's end", async () => {
    const world = await createWorld();
    await world.set("access_expires_at = access_expires_at + 600000");
    world.provider.next({ kind: "unreachable" });
    await world.actor().refresh();
    await world.age(second);
    const outcome = await world.actor().refresh();
    expect(outcome).toMatchObject({ kind: "later", retryAfter: expect.closeTo(600_000 - 2000, -5) });
    await world.age(10 * minute);
    expect(await world.actor().refresh()).toMatchObject({ kind: "fresh" });
  });
});
