import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { median } from "../../scripts/bench/stats.ts";
import { type EchoUpstream, startEchoUpstream } from "../support/node/echo-upstream.ts";
import { type Connected, type Instance, startInstance } from "../support/node/instance.ts";
import { sendRaw } from "../support/node/raw-http.ts";

let instance: Instance;
let upstream: EchoUpstream;
let working: Connected;
let revoked: Connected;

beforeAll(async () => {
  [instance, upstream] = await Promise.all([
    startInstance({ demo: false, page: false }),
    startEchoUpstream(),
  ]);
  const wanted = { url: `${upstream.url}/mcp`, key: "good-key" };
  working = await instance.connect(wanted);
  revoked = await instance.connect(wanted);
  await instance.api("DELETE", `/api/connections/${revoked.connection.id}`);
});
afterAll(async () => {
  await instance?.close();
  await upstream?.close();
});

describe("where clients look for an authorization server", () => {
  it("T25 every well-known and OAuth path is a fast, plain 404 as JSON", async () => {
    upstream.clear();
    const secretPath = new URL(working.secretUrl).pathname;
    const documents = ["oauth-protected-resource", "oauth-authorization-server", "openid-configuration"];
    const gets = documents.flatMap((name) => [
      `/.well-known/${name}`,
      `/.well-known/${name}/mcp/custom`,
      `/.well-known/${name}${secretPath}`,
      `${secretPath}/.well-known/${name}`,
      `/mcp/custom/.well-known/${name}`,
    ]);
    const oauth = ["/register", "/authorize", "/token"];
    const posts = oauth.flatMap((path) => [path, `/mcp/custom${path}`, `${secretPath}${path}`]);
    const took: number[] = [];
    for (const [method, paths] of [
      ["GET", [...gets, ...posts]],
      ["POST", posts],
    ] as const) {
      for (const path of paths) {
        const started = performance.now();
        const body = method === "POST" ? { body: "{}" } : {};
        const answer = await fetch(instance.url + path, { method, redirect: "manual", ...body });
        const found = [answer.status, answer.headers.get("content-type"), answer.headers.get("set-cookie")];
        expect(found, `${method} ${path}`).toEqual([404, "application/problem+json", null]);
        expect(answer.headers.get("www-authenticate")).toBeNull();
        expect(await answer.json()).toMatchObject({ code: "not_found" });
        took.push(performance.now() - started);
      }
    }
    // One of them may meet a machine that stands still.
    expect(median(took)).toBeLessThan(1000);
    expect(upstream.requests).toEqual([]);
    expect(instance.logs).toEqual([]);
  });
});

const credential = (): string => new URL(working.secretUrl).pathname.split("/").at(-1) ?? "";

describe("a path that is not exactly one of ours", () => {
  const call = JSON.stringify({ jsonrpc: "2.0", id: 9, method: "tools/list" });
  /** `{}` stands for the credential. */
  const refused = [
    "/mcp/custom/{}/",
    "/mcp/custom/{}%2f",
    "/mcp/custom%2f{}",
    "/mcp/custom/{}/..",
    "/mcp/custom/{}/%2e",
    "/mcp/custom/..%2fcustom/{}",
    "/mcp/custom/%2e%2e%2fcustom/{}",
    "/mcp//custom/{}",
    "//mcp/custom/{}",
    "/mcp/custom//{}",
    "/mcp/custom/{}//",
    "/mcp/custom/{};a=b",
    "/mcp/custom;x/{}",
    "/mcp/custom/;/{}",
    "/mcp/custom/{}%00",
    "/mcp/custom/{}%252f",
    "/mcp/custom/%2500{}",
    "/mcp/Custom/{}",
    "/MCP/custom/{}",
    "/mcp/custom/{}/tools/call",
    "/mcp/custom/{}/mcp",
  ];
  for (const target of refused) {
    it(`T24 ${target} is a plain 404, and nothing is sent`, async () => {
      upstream.clear();
      const exact = target.replace("{}", credential());
      const exchange = await sendRaw(instance.url, { target: exact, body: call });
      const answer = await exchange.answer();
      expect(answer.status).toBe(404);
      expect(JSON.parse(answer.body)).toMatchObject({ code: "not_found" });
      expect(upstream.requests).toEqual([]);
    });
  }

  it("T24 what is no URL at all does not reach the worker", async () => {
    upstream.clear();
    for (const target of ["/mcp/custom/{}\0", "/mcp/custom/{}\t", "/mcp/custom/{}\u00fc", "mcp/custom/{}"]) {
      const exchange = await sendRaw(instance.url, {
        target: target.replace("{}", credential()),
        body: call,
      });
      expect((await exchange.answer()).status).toBe(400);
    }
    expect(upstream.requests).toEqual([]);
  });

  it("T24 an encoded letter of the credential is another path", async () => {
    upstream.clear();
    const [first = ""] = credential();
    const encoded = `%${first.charCodeAt(0).toString(16)}${credential().slice(1)}`;
    const exchange = await sendRaw(instance.url, { target: `/mcp/custom/${encoded}`, body: call });
    expect((await exchange.answer()).status).toBe(404);
    expect(upstream.requests).toEqual([]);
  });

  it("T24 dots, which the server resolves before the worker sees them, and queries change nothing upstream", async () => {
    const fixed = "/MCP/v1%2F/;p//x?fixed=%41";
    const exact = await instance.connect({ url: upstream.url + fixed, key: "good-key" });
    const path = new URL(exact.secretUrl).pathname;
    const last = path.split("/").at(-1) ?? "";
    const targets = [path, `/mcp/custom/./${last}`, `/mcp/../mcp/custom/${last}`, `${path}?fixed=mine&key=x`];
    for (const target of targets) {
      upstream.clear();
      const exchange = await sendRaw(instance.url, { target, body: call });
      expect((await exchange.answer()).status).toBe(200);
      // Byte for byte what the person gave: nothing of the client's own address is in it.
      expect(upstream.requests.map(({ url }) => url)).toEqual([fixed]);
    }
  });
});

describe("requests of web pages", () => {
  it("T64 a foreign Origin is 403 before the credential, the method or the body counts", async () => {
    upstream.clear();
    const call = { method: "POST", body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" }) };
    const good: RequestInit[] = [call, { method: "GET" }, { method: "DELETE" }, { method: "PUT", body: "x" }];
    for (const url of [working.secretUrl, revoked.secretUrl, working.mcpUrl]) {
      for (const init of good) {
        const headers = { origin: "https://evil.example" };
        const answer = await fetch(url, { ...init, headers });
        expect([answer.status, await answer.json()]).toMatchObject([403, { code: "origin_not_allowed" }]);
        expect(answer.headers.get("access-control-allow-origin")).toBeNull();
      }
    }
    for (const origin of [
      "null",
      instance.url.replace("127.0.0.1", "localhost"),
      `${instance.url}.evil.example`,
    ]) {
      expect((await fetch(working.secretUrl, { ...call, headers: { origin } })).status).toBe(403);
    }
    expect(upstream.requests).toEqual([]);
    const own = await fetch(working.secretUrl, { ...call, headers: { origin: instance.url } });
    expect(own.status).toBe(200);
  });
});
