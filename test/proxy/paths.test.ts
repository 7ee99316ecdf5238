import { beforeAll, describe, expect, it } from "vitest";
import type { Runtime } from "../../src/http/context.ts";
import { parseMcpPath } from "../../src/proxy/route.ts";
import { problemOf, rpcCall, withHeaders } from "../support/answers.ts";
import { countedEnv } from "../support/counting.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson, type Connected } from "../support/person.ts";
import { upstream } from "../support/upstream.ts";

const ledger = countedEnv();
const instance = createInstance(ledger.env);
const service = upstream();
let connected: Connected;

beforeAll(async () => {
  connected = await (await createPerson(instance)).connect({ url: service.url });
});

const credential = "A".repeat(86);

describe("the path, as written", () => {
  it.each([
    [`/mcp/custom`, { service: "custom", credential: undefined, leg: "stream" }],
    [`/mcp/custom/${credential}`, { service: "custom", credential, leg: "stream" }],
    [`/mcp/custom/${credential}/sse`, { service: "custom", credential, leg: "sse" }],
    [`/mcp/custom/messages`, { service: "custom", credential: undefined, leg: "messages" }],
  ])("%s is ours", (path, address) => {
    expect(parseMcpPath(path)).toEqual(address);
  });

  it.each([
    "",
    "/",
    "/mcp",
    "/mcp/",
    "/mcp//",
    "mcp/custom",
    "/MCP/custom",
    "/mcp/Custom",
    "/mcp/custom/",
    "/mcp/custom//",
    `/mcp/custom/${credential}/`,
    `/mcp/custom/${credential}//sse`,
    `/mcp//custom/${credential}`,
    `//mcp/custom/${credential}`,
    `/mcp/custom/${credential}/..`,
    `/mcp/custom/../custom/${credential}`,
    `/mcp/./custom/${credential}`,
    `/mcp/custom/.`,
    `/mcp/custom/${credential}%2fsse`,
    `/mcp/custom%2f${credential}`,
    `/mcp/custom%252f${credential}`,
    `/%6dcp/custom/${credential}`,
    `/mcp/custom/%2e%2e/${credential}`,
    `/mcp/custom/${credential};a=b`,
    `/mcp/custom;v=1/${credential}`,
    `/mcp/custom/${credential}%00`,
    `/mcp/custom/${credential}\0`,
    `/mcp/cus\0tom`,
    `/mcp/custom\\${credential}`,
    `/mcp/custom/${credential}/sse/`,
    `/mcp/custom/${credential}/SSE`,
    `/mcp/custom/${credential}/messages/x`,
    `/mcp/custom/${credential}/sse/messages`,
    `/mcp/cüstom`,
    `/mcp/custom/${"A".repeat(201)}`,
    `/mcp/${"a".repeat(41)}`,
    `/mcp/custom/ ${credential}`,
    `/mcp/custom/${credential}\n`,
    "/mcp/custom/register",
    "/mcp/custom/token",
    "/mcp/-custom",
  ])("T24 %j is unknown", (path) => {
    expect(parseMcpPath(path)).toBeUndefined();
  });
});

describe("T24 a request whose path is not exactly one of ours", () => {
  const changes: readonly (readonly [string, (path: string) => string])[] = [
    ["a slash at the end", (path) => `${path}/`],
    ["two slashes", (path) => path.replace("/custom/", "/custom//")],
    ["an encoded slash", (path) => path.replace("/custom/", "/custom%2f")],
    ["double encoding", (path) => path.replace("/custom/", "/custom%252f")],
    ["an encoded letter", (path) => path.replace("/mcp/", "/%6Dcp/")],
    ["a parameter", (path) => `${path};v=1`],
    ["NUL", (path) => `${path}%00`],
    ["another case", (path) => path.replace("/mcp/", "/MCP/")],
    ["another case of the service", (path) => path.replace("/custom/", "/Custom/")],
    ["a backslash, encoded", (path) => path.replace("/custom/", "/custom%5c")],
  ];

  it.each(changes)("%s is a plain 404 without a look-up", async (_, change) => {
    await service.forget();
    ledger.take();
    for (const init of [rpcCall(), { method: "GET" }]) {
      await problemOf(await instance.fetch(change(connected.secretPath), init), "not_found");
    }
    expect(ledger.take()).toBe("");
    expect(await service.requests()).toEqual([]);
  });
});

describe("T25 where clients look for an authorization server", () => {
  const wellKnown = [
    "oauth-protected-resource",
    "oauth-authorization-server",
    "openid-configuration",
    "mcp.json",
  ];
  const paths = () => [
    ...wellKnown.flatMap((name) => [
      `/.well-known/${name}`,
      `/.well-known/${name}/mcp/custom`,
      `/.well-known/${name}${connected.secretPath}`,
      `${connected.secretPath}/.well-known/${name}`,
      `/mcp/custom/.well-known/${name}`,
      `/mcp/.well-known/${name}`,
    ]),
    ...["register", "authorize", "token"].flatMap((name) => [
      `/${name}`,
      `/mcp/${name}/x/y`,
      `/mcp/custom/${name}`,
      `${connected.secretPath}/${name}`,
    ]),
  ];

  it("is a fast JSON 404: no redirect, no cookie, no look-up", async () => {
    ledger.take();
    for (const path of paths()) {
      for (const init of [{ method: "GET" }, { method: "POST", body: "{}" }]) {
        const answer = await instance.fetch(path, init);
        const problem = await problemOf(answer, "not_found");
        expect(JSON.stringify(problem)).not.toContain(connected.text);
        expect(answer.headers.get("location")).toBeNull();
        expect(answer.headers.get("www-authenticate")).toBeNull();
      }
    }
    expect(ledger.take()).toBe("");
  });
});

describe("T26 the bucket of an unknown credential", () => {
  const buckets: string[] = [];
  const watched = createInstance({}, (runtime: Runtime) => ({
    ...runtime,
    guard: async ({ caller, offence }) => {
      if (offence === "guess") buckets.push(caller.bucket);
      return undefined;
    },
  }));
  const bucketOf = async (
    headers: Record<string, string>,
    path = `/mcp/custom/${credential}`,
  ): Promise<readonly string[]> => {
    buckets.splice(0);
    await watched.fetch(path, withHeaders(rpcCall(), headers));
    return [...buckets];
  };

  it("is the address that the platform names, whatever else is claimed", async () => {
    const plain = await bucketOf({ "cf-connecting-ip": "203.0.113.7" });
    expect(plain).toHaveLength(1);
    for (const name of [
      "x-forwarded-for",
      "x-real-ip",
      "true-client-ip",
      "forwarded",
      "x-client-ip",
      "x-forwarded-host",
      "cf-connecting-ipv6",
      "host",
    ]) {
      expect(await bucketOf({ "cf-connecting-ip": "203.0.113.7", [name]: "198.51.100.1" })).toEqual(plain);
    }
    expect(await bucketOf({ "cf-connecting-ip": "::ffff:203.0.113.7" })).toEqual(plain);
    expect(await bucketOf({ "cf-connecting-ip": "203.0.113.8" })).not.toEqual(plain);
  });

  it("is a /64 for IPv6, in any spelling", async () => {
    const plain = await bucketOf({ "cf-connecting-ip": "2001:db8:1:2::1" });
    for (const address of [
      "2001:db8:1:2:ffff:ffff:ffff:ffff",
      "2001:0DB8:0001:0002::",
      "2001:db8:1:2:0:0:0:1",
    ]) {
      expect(await bucketOf({ "cf-connecting-ip": address })).toEqual(plain);
    }
    expect(await bucketOf({ "cf-connecting-ip": "2001:db8:1:3::1" })).not.toEqual(plain);
  });

  it("does not depend on the path, the case of it or the form", async () => {
    const address = { "cf-connecting-ip": "203.0.113.7" };
    const plain = await bucketOf(address);
    for (const path of [`/mcp/nosuch/${credential}`, `/mcp/custom/${credential}/sse`, "/mcp/custom/x"])
      expect(await bucketOf(address, path)).toEqual(plain);
    expect(await bucketOf({ ...address, authorization: "Bearer bnd_live_x" }, "/mcp/custom")).toEqual(plain);
    expect(
      await bucketOf(address, `/MCP/custom/${credential}`),
      "not ours, so nothing is counted or looked up",
    ).toEqual([]);
  });
});
