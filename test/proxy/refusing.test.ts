import { beforeAll, describe, expect, it } from "vitest";
import type { FaultCode } from "../../src/lib/fault.ts";
import type { Runtime } from "../../src/http/context.ts";
import { problemOf, rpcCall, rpcErrorOf, withHeaders } from "../support/answers.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson, type Connected, type Person } from "../support/person.ts";
import { edit } from "../support/storage.ts";
import { upstream, type Upstream } from "../support/upstream.ts";

const instance = createInstance();
let person: Person;
let connected: Connected;
let service: Upstream;

beforeAll(async () => {
  person = await createPerson(instance);
  service = upstream();
  connected = await person.connect({ url: service.url });
});

/** A request whose length is known, so that it is kept and a late refusal can name its id. */
function keptCall(headers: Record<string, string> = {}): RequestInit {
  const call = rpcCall();
  const length = typeof call.body === "string" ? call.body.length : 0;
  return withHeaders(call, { "content-length": String(length), ...headers });
}

/** With this much time for an answer to begin, and for the rest of it, ms. */
const within =
  (headers: number, response: number) =>
  (runtime: Runtime): Runtime => ({ ...runtime, times: { headers, response } });

describe("T64 Origin", () => {
  it.each(["https://evil.example", "null", "http://127.0.0.1:8788", "http://127.0.0.1:8787.evil.example"])(
    "%s is 403 before anything else, known credential or not",
    async (origin) => {
      await service.forget();
      const bodies = new Set<string>();
      for (const path of [connected.secretPath, connected.mcpPath, "/mcp/custom/malformed"]) {
        for (const init of [rpcCall(), { method: "GET" }, { method: "PUT" }]) {
          const answer = await instance.fetch(path, withHeaders(init, { origin }));
          bodies.add(JSON.stringify(await problemOf(answer, "origin_not_allowed")));
          expect(answer.headers.get("access-control-allow-origin")).toBeNull();
        }
      }
      expect(bodies.size).toBe(1);
      expect(await service.requests()).toEqual([]);
    },
  );

  it("the deployment's own origin and none at all pass", async () => {
    for (const headers of [{ origin: instance.env.PUBLIC_URL }, {}]) {
      expect((await instance.fetch(connected.secretPath, withHeaders(rpcCall(), headers))).status).toBe(200);
    }
  });
});

describe("what the service does wrong", () => {
  it.each<readonly [string, FaultCode]>([
    ["/status/401", "upstream_rejected"],
    ["/redirect?code=301&to=https://evil.example/", "upstream_redirected"],
    ["/redirect?code=302", "upstream_redirected"],
    ["/redirect?code=307", "upstream_redirected"],
    ["/redirect?code=308", "upstream_redirected"],
    ["/reset", "upstream_unreachable"],
  ])("T52 %s becomes a sentence, and is not followed", async (behave, code) => {
    await service.forget();
    const headers = { "mcp-param-behave": behave };
    const { error, id } = await rpcErrorOf(
      await instance.fetch(connected.secretPath, keptCall(headers)),
      code,
    );
    expect(id).toBe(7);
    expect(error.message).not.toMatch(/evil|https?:\/\/127\.0\.0\.1:(?!8787)/);
    await problemOf(await instance.fetch(connected.secretPath, { method: "GET", headers }), code);
    expect(await service.requests()).toHaveLength(2);
  });

  it("T68 an answer that does not begin in time is cut", async () => {
    const hasty = createInstance({}, within(150, 60_000));
    const headers = { "mcp-param-behave": "/hang" };
    const { error } = await rpcErrorOf(
      await hasty.fetch(connected.secretPath, keptCall(headers)),
      "upstream_timeout",
    );
    expect(error.message).toContain("0.15 seconds");
    await problemOf(await hasty.fetch(connected.secretPath, { method: "GET", headers }), "upstream_timeout");
  });

  it("T68 an answer that begins and never ends is cut", async () => {
    const hasty = createInstance({}, within(60_000, 300));
    const answer = await hasty.fetch(
      connected.secretPath,
      withHeaders(rpcCall(), { "mcp-param-behave": "/stall" }),
    );
    expect(answer.status).toBe(200);
    // A clean end, not an error: the platform would record that with the URL.
    expect(await answer.text()).toBe("");
  });

  it("a dead service is one sentence, without its address", async () => {
    const gone = upstream();
    const own = await person.connect({ url: gone.url });
    const dead = createInstance({}, (runtime) => ({
      ...runtime,
      outbound: (url, request) => runtime.outbound(url.replace(/:\d+/, ":9"), request),
    }));
    const { error } = await rpcErrorOf(await dead.fetch(own.secretPath, keptCall()), "upstream_unreachable");
    expect(error.message).not.toContain("127.0.0.1");
  });
});

describe("what this deployment says no to", () => {
  it("a paused service: a sentence and 503, and nothing is lost", async () => {
    const paused = createInstance({ PAUSED_SERVICES: "linear, custom" });
    await service.forget();
    const { error } = await rpcErrorOf(await paused.fetch(connected.secretPath, rpcCall()), "service_paused");
    expect(error.message).toContain("Any MCP server");
    const answer = await paused.fetch(connected.secretPath, { method: "GET" });
    await problemOf(answer, "service_paused");
    expect(answer.headers.get("retry-after")).toBe("60");
    expect(await service.requests()).toEqual([]);
    const owner = await createPerson(paused, person.name);
    await problemOf(
      await owner.call("POST", "/api/connections", {
        service: "custom",
        url: service.url,
        fields: { api_key: "k" },
      }),
      "service_not_available",
    );
    expect((await instance.fetch(connected.secretPath, rpcCall())).status).toBe(200);
  });

  it("a suspended connection", async () => {
    const own = await person.connect({ url: service.url });
    await edit(instance.env, "UPDATE connections SET status = 'suspended' WHERE id = ?1", own.id);
    await rpcErrorOf(await instance.fetch(own.secretPath, rpcCall()), "connection_suspended");
    expect(await (await person.call("GET", `/api/connections/${own.id}`)).json()).toMatchObject({
      status: "suspended",
      state: "suspended",
    });
  });

  it("too many calls of one connection, or of one person", async () => {
    const full = createInstance({}, (runtime) => ({
      ...runtime,
      limits: { ...runtime.limits, connection: async () => false, user: async () => false },
    }));
    await rpcErrorOf(await full.fetch(connected.secretPath, rpcCall()), "rate_limited");
    for (const answer of [
      await full.fetch(connected.secretPath, { method: "GET" }),
      await full.fetch("/api/me", { headers: { authorization: `Bearer ${person.token}` } }),
    ]) {
      await problemOf(answer, "rate_limited");
      expect(answer.headers.get("retry-after")).toBe("60");
    }
  });

  it("the limit on unknown credentials bites, and does not touch known ones", async () => {
    const address = { "cf-connecting-ip": "192.0.2.77" };
    const unknown = `/mcp/custom/${"A".repeat(85)}A`;
    const guess = async () => (await instance.fetch(unknown, { headers: address })).status;
    let status = await guess();
    // 30 in a minute of the wall clock's, of which one may turn meanwhile.
    for (let more = 0; more < 60 && status === 404; more++) status = await guess();
    expect(status).toBe(429);
    expect((await instance.fetch(connected.secretPath, withHeaders(rpcCall(), address))).status).toBe(200);
  });

  it("a database that does not answer is 503, and nothing is said of it", async () => {
    const broken = createInstance({
      DB: new Proxy(instance.env.DB, {
        get: () => () => {
          throw new Error("D1_ERROR: secret detail");
        },
      }),
    });
    const { error } = await rpcErrorOf(
      await broken.fetch(connected.secretPath, rpcCall()),
      "storage_unavailable",
    );
    expect(error.message).not.toContain("detail");
    const answer = await broken.fetch("/api/me", { headers: { authorization: `Bearer ${person.token}` } });
    await problemOf(answer, "storage_unavailable");
    expect(answer.headers.get("retry-after")).toBe("5");
  });
});
