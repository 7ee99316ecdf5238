import { beforeEach, describe, expect, inject, it } from "vitest";
import { checkLive } from "../../src/jobs/check-live.ts";
import { refreshDue } from "../../src/jobs/refresh-due.ts";
import type { Runtime } from "../../src/http/context.ts";
import { OutboundError, type Outbound } from "../../src/lib/outbound.ts";
import type { LogEvent } from "../../src/lib/log.ts";
import { apiServices } from "../support/api-services.ts";
import { rpcCall } from "../support/answers.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson, type Connected, type Person } from "../support/person.ts";
import { runDue } from "../support/refresh/due.ts";
import type { TokenBody } from "../support/refresh/provider.ts";
import { createWorld } from "../support/refresh/world.ts";
import { edit } from "../support/storage.ts";
import { upstream } from "../support/upstream.ts";

const instance = createInstance();
const { env } = instance;
const hour = 3_600_000;
const service = upstream();
let person: Person;
let connected: Connected;

interface Row {
  readonly state: string;
  readonly refused_since: number | null;
  readonly checked_at: number | null;
  readonly due_in: number | null;
}

async function row(id = connected.id): Promise<Row> {
  const found = await env.DB.prepare(
    `SELECT state, refused_since, checked_at, due_at - CAST(unixepoch('subsec') * 1000 AS INTEGER) AS due_in
     FROM connections WHERE id = ?1`,
  )
    .bind(id)
    .first<Row>();
  if (found === null) throw new Error("no row");
  return found;
}

/** One run of the job; `outbound` stands for a service that changed. */
async function run(outbound?: Outbound): Promise<readonly LogEvent[]> {
  await edit(env, "UPDATE connections SET due_at = 1 WHERE due_at IS NOT NULL");
  const runtime: Runtime = await instance.runtime();
  const events: LogEvent[] = [];
  const deferred: Promise<unknown>[] = [];
  await refreshDue({
    ...runtime,
    backgroundBudget: 10,
    log: (event) => events.push(event),
    defer: (_, work) => void deferred.push(work),
    ...(outbound === undefined ? {} : { outbound }),
  });
  await Promise.all(deferred);
  return events;
}

const answered =
  (status: number): Outbound =>
  async () =>
    await Promise.resolve(new Response("{}", { status }));

const gone: Outbound = async () => await Promise.reject(new OutboundError("unreachable"));

async function failures(): Promise<number> {
  const sql = "SELECT COUNT(*) AS n FROM audit_queue WHERE type = 'liveness_failed' AND connection_id = ?1";
  return (await env.DB.prepare(sql).bind(connected.id).first<number>("n")) ?? 0;
}

beforeEach(async () => {
  await edit(env, "DELETE FROM connections");
  person = await createPerson(instance);
  connected = await person.connect({ url: service.url, storage: "managed" });
  await service.forget();
});

describe("a managed secret that does not end", () => {
  it("is first looked at within a day", async () => {
    const { due_in } = await row();
    expect(due_in).toBeGreaterThan(21 * hour);
    expect(due_in).toBeLessThanOrEqual(24 * hour);
  });

  it("that works is asked about with one handshake, whose session is ended", async () => {
    expect(await run()).toContainEqual(expect.objectContaining({ event: "background_done", works: 1 }));
    const requests = await service.requests();
    expect(requests[0]).toMatchObject({ method: "POST" });
    expect(requests[0]?.body).toContain('"initialize"');
    expect(requests[0]?.headers["authorization"]).toBe("Bearer good-key");
    const opened = requests.filter((request) => request.method === "POST").length;
    expect(opened).toBe(1);
    const { checked_at, refused_since, due_in } = await row();
    expect(Math.abs((checked_at ?? 0) - Date.now())).toBeLessThan(60_000);
    expect(refused_since).toBeNull();
    expect(due_in).toBeGreaterThan(21 * hour);
  });

  it.each([401, 403])("that is refused with %i is told once; calls still pass", async (status) => {
    expect(await run(answered(status))).toContainEqual(expect.objectContaining({ refused: 1 }));
    const first = await row();
    expect(first).toMatchObject({ state: "live", checked_at: null });
    expect(first.refused_since).not.toBeNull();
    expect(await failures()).toBe(1);
    await run(answered(status));
    expect((await row()).refused_since).toBe(first.refused_since);
    expect(await failures(), "once for each change").toBe(1);
    expect((await instance.fetch(connected.secretPath, rpcCall())).status).toBe(200);

    await run();
    expect(await row()).toMatchObject({ refused_since: null, state: "live" });
    await run(answered(status));
    expect(await failures(), "it worked in between").toBe(2);
  });

  it.each([
    ["unreachable", gone],
    ["failing", answered(503)],
    ["answering otherwise", answered(404)],
  ] as const)(
    "at a service that is %s stays as it was, and is looked at within the hour or so",
    async (_, outbound) => {
      expect(await run(outbound)).toContainEqual(expect.objectContaining({ later: 1 }));
      const { due_in, ...rest } = await row();
      expect(rest).toEqual({ state: "live", refused_since: null, checked_at: null });
      expect(due_in).toBeGreaterThan(0.9 * hour);
      expect(due_in).toBeLessThan(1.3 * hour);
      expect(await failures()).toBe(0);
    },
  );

  it("a new secret that was stored meanwhile is not charged with the old one's refusal", async () => {
    let first = true;
    await run(async () => {
      if (first) await edit(env, "UPDATE connections SET gen = gen + 1 WHERE id = ?1", connected.id);
      first = false;
      return new Response(null, { status: 401 });
    });
    expect(await row()).toMatchObject({ refused_since: null });
    expect(await failures()).toBe(0);
  });

  it("T71 runs that overlap ask once", async () => {
    await edit(env, "UPDATE connections SET due_at = 1 WHERE due_at IS NOT NULL");
    const runtime = await instance.runtime();
    const one = async () => await refreshDue({ ...runtime, backgroundBudget: 10, log: () => undefined });
    await Promise.all([one(), one(), one()]);
    expect((await service.requests()).filter((request) => request.method === "POST")).toHaveLength(1);
  });

  it("tokens without an end that can be renewed are renewed when they are refused", async () => {
    const world = await createWorld({ storage: "managed" });
    await world.set("access_expires_at = NULL, due_at = 1");
    await runDue([world], { outbound: answered(401) });
    expect(await world.row()).toMatchObject({ gen: 2, state: "live" });
    expect(world.provider.presented).toHaveLength(1);
  });
});

describe("tokens without an end that can be renewed", () => {
  it("and are refused when they are new too: that is on record, once", async () => {
    const world = await createWorld({ storage: "managed" });
    connected = { ...connected, id: world.id };
    const unending = {
      kind: "shaped",
      shape: (tokens: TokenBody) => ({ ...tokens, expires_in: undefined }),
    } as const;
    const refusedSince: (number | null)[] = [];
    await world.set("access_expires_at = NULL");
    for (let day = 0; day < 3; day += 1) {
      await world.set("due_at = 1");
      world.provider.next(unending);
      const { events } = await runDue([world], { outbound: answered(401) });
      expect(events).toContainEqual(expect.objectContaining({ refused: 1 }));
      refusedSince.push((await row(world.id)).refused_since);
      expect(await failures()).toBe(1);
    }
    expect(world.provider.presented).toHaveLength(3);
    expect(new Set(refusedSince).size).toBe(1);
    expect(refusedSince[0]).not.toBeNull();
  });
});

describe("a service whose own API tells about keys", () => {
  const catalogue = apiServices(inject("oddUrl"));
  const grantFor = (id: string) => ({
    v: 1 as const,
    kind: "key" as const,
    url: "https://never.example/",
    transport: "http" as const,
    header: catalogue.get(id)?.key_modes[0]?.header ?? { name: "Authorization", prefix: "Bearer" },
    secret: "good-key",
    extra_headers: {},
  });

  it.each([
    ["rest", 200, "{}", "works"],
    ["rest", 401, "{}", "refused"],
    ["rest", 404, "{}", "unknown"],
    ["graphql", 200, '{"data":{"viewer":{"id":"1"}}}', "works"],
    ["graphql", 200, '{"errors":[{}]}', "refused"],
    ["graphql", 500, "", "unknown"],
  ] as const)("%s answered %i %s: %s", async (id, status, text, verdict) => {
    const asked: string[] = [];
    const outbound: Outbound = async (url) => {
      asked.push(url);
      return await Promise.resolve(new Response(text, { status }));
    };
    const runtime = await instance.runtime();
    expect(await checkLive(grantFor(id), catalogue.get(id), { ...runtime, outbound })).toBe(verdict);
    expect(asked, "only the address of the definition").toEqual([
      `${inject("oddUrl")}/${id === "rest" ? "user" : "viewer"}`,
    ]);
  });
});
