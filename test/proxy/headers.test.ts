import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { problemOf, rpcCall, rpcErrorOf, withHeaders } from "../support/answers.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson, type Connected, type Person } from "../support/person.ts";
import { upstream, type Upstream } from "../support/upstream.ts";

const instance = createInstance();
let person: Person;
let connected: Connected;
let service: Upstream;

beforeAll(async () => {
  person = await createPerson(instance);
  service = upstream("/echo");
  connected = await person.connect({ url: service.url });
});

const echoed = z.object({ method: z.string(), url: z.string(), rawHeaders: z.array(z.string()) });

/** What reached the service: names as lower case, values byte for byte. */
async function arrived(
  init: RequestInit,
  path = connected.secretPath,
): Promise<{ method: string; url: string; headers: Record<string, string> }> {
  const answer = await instance.fetch(path, init);
  const { method, url, rawHeaders } = echoed.parse(await answer.json());
  const headers: Record<string, string> = {};
  for (let at = 0; at < rawHeaders.length; at += 2)
    headers[rawHeaders[at]?.toLowerCase() ?? ""] = rawHeaders[at + 1] ?? "";
  return { method, url, headers };
}

/** Named by the HTTP stack itself, not by us. */
const ofTransport = ["host", "transfer-encoding", "content-length", "cf-worker", "connection"];

const foreign = {
  cookie: "session=ours",
  "x-forwarded-for": "203.0.113.9",
  "x-forwarded-host": "evil.example",
  "x-real-ip": "203.0.113.9",
  forwarded: "for=203.0.113.9",
  "cf-connecting-ip": "203.0.113.9",
  "cf-ray": "1",
  "true-client-ip": "203.0.113.9",
  referer: "https://page.example/mcp/custom/secret",
  "proxy-authorization": "Basic eA==",
  te: "trailers",
  "x-custom": "anything else",
  "accept-encoding": "br",
};

describe("request headers", () => {
  it("T60 what identifies the client stays here; what MCP needs passes", async () => {
    const passed = {
      "content-type": "application/json; charset=utf-8",
      accept: "application/json, text/event-stream",
      "accept-language": "de-CH, en;q=0.5",
      "user-agent": "client/1.0 (test)",
      "last-event-id": "event 7",
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      "mcp-session-id": "s-1",
      "mcp-protocol-version": "2025-11-25",
      "mcp-method": "tools/list",
      "mcp-name": "a tool",
      "mcp-param-x-y_z": "=?base64?w7w=?=",
    };
    const { headers } = await arrived(withHeaders(rpcCall(), { ...foreign, ...passed }));
    expect(headers).toMatchObject({
      ...passed,
      authorization: "Bearer good-key",
      "accept-encoding": "identity",
    });
    const others = Object.keys(headers).filter((name) => !(name in passed) && !ofTransport.includes(name));
    expect(others.toSorted()).toEqual(["accept-encoding", "authorization"]);
  });

  it("T60 headers that Connection names are for one hop", async () => {
    const { headers } = await arrived(
      withHeaders(rpcCall(), {
        connection: "keep-alive, Mcp-Hop, traceparent",
        "mcp-hop": "1",
        "mcp-stay": "1",
        traceparent: "00-1-1-01",
      }),
    );
    expect(headers).toMatchObject({ "mcp-stay": "1" });
    expect(headers).not.toHaveProperty("mcp-hop");
    expect(headers).not.toHaveProperty("traceparent");
  });

  it("T93 a value outside of ASCII, which the runtime would print with the URL, is refused or left out", async () => {
    const named = await instance.fetch(
      connected.secretPath,
      withHeaders(rpcCall(), { "mcp-name": "caf\u00e9" }),
    );
    expect((await problemOf(named, "header_not_ascii")).detail).toContain("mcp-name");
    const { headers } = await arrived(withHeaders(rpcCall(), { "user-agent": "caf\u00e9" }));
    expect(headers).not.toHaveProperty("user-agent");
  });

  it("T60 Connection cannot name the key away", async () => {
    const { headers } = await arrived(withHeaders(rpcCall(), { connection: "authorization, content-type" }));
    expect(headers["authorization"]).toBe("Bearer good-key");
  });

  it("T61 Mcp-* values pass byte for byte", async () => {
    const values = {
      "mcp-a": 'a,b;c="d"',
      "mcp-b": "=?base64?w7w=?=",
      "mcp-c": "%20%2F+",
      "mcp-e": "x".repeat(4000),
    };
    const { headers } = await arrived(withHeaders(rpcCall(), values));
    expect(headers).toMatchObject(values);
  });

  it("T62 the client's own Authorization and key never reach the service, in either form", async () => {
    const bearer = { authorization: `Bearer ${connected.apiKey}` };
    const cases: readonly (readonly [string, Record<string, string>])[] = [
      [connected.secretPath, { authorization: "Bearer mine", "x-api-key": "mine" }],
      [connected.mcpPath, bearer],
      [connected.mcpPath, { ...bearer, "x-api-key": connected.apiKey }],
      [connected.mcpPath, { "x-api-key": connected.apiKey }],
    ];
    for (const [path, headers] of cases) {
      const seen = await arrived(withHeaders(rpcCall(), headers), path);
      expect(seen.headers["authorization"]).toBe("Bearer good-key");
      expect(JSON.stringify(seen)).not.toMatch(/mine|bnd_test/);
      expect(JSON.stringify(seen)).not.toContain(connected.text);
    }
  });

  it("T63 the client's query reaches nothing", async () => {
    const query = "?api_key=theirs&access_token=theirs&x=%2F..#f";
    const { url } = await arrived(rpcCall(), connected.secretPath + query);
    expect(`${new URL(service.url).origin}${url}`).toBe(service.url);
  });

  it("T67 more than 32 KiB of headers is refused, and not sent", async () => {
    await service.forget();
    const init = withHeaders(rpcCall(), { "mcp-big": "x".repeat(33 * 1024) });
    await rpcErrorOf(
      await instance.fetch(connected.secretPath, withHeaders(init, { "content-length": "62" })),
      "headers_too_large",
    );
    await problemOf(
      await instance.fetch(connected.secretPath, {
        method: "GET",
        headers: { "mcp-big": "x".repeat(33 * 1024) },
      }),
      "headers_too_large",
    );
    expect(await service.requests()).toEqual([]);
  });
});

describe("the address at the service", () => {
  it.each(["/echo/a%2Fb;c=d//e?x=%20y&z=%C3%BC", "/echo/%7Euser/", "/echo/?q=a+b%2Bc"])(
    "T24 %s goes out byte for byte",
    async (path) => {
      const url = new URL(service.url).origin + path;
      const own = await person.connect({ url });
      expect((await arrived(rpcCall(), own.secretPath)).url).toBe(path);
    },
  );

  it.each(["POST", "GET", "DELETE"])("%s stays %s", async (method) => {
    const init = method === "POST" ? rpcCall() : { method, headers: { accept: "text/event-stream" } };
    expect((await arrived(init)).method).toBe(method);
  });
});

describe("response headers", () => {
  it("T65 T60 cookies, challenges and what is not on the list stay behind", async () => {
    const answer = await instance.fetch(
      connected.secretPath,
      withHeaders(rpcCall(), { "mcp-param-behave": "/cookie" }),
    );
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toEqual({
      "content-type": "application/json",
      "cache-control": "no-store",
      "mcp-session-id": "session-of-upstream",
      "retry-after": "7",
      "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      ...("content-length" in Object.fromEntries(answer.headers) ? { "content-length": "2" } : {}),
    });
  });

  it.each([200, 202, 204, 400, 403, 404, 405, 406, 409, 429, 500, 503])(
    "the status %i passes as it is",
    async (status) => {
      const behave = `/status/${status}?Retry-After=3&Allow=POST&Mcp-Session-Id=s`;
      const answer = await instance.fetch(
        connected.secretPath,
        withHeaders(rpcCall(), { "mcp-param-behave": behave }),
      );
      expect(answer.status).toBe(status);
      expect(answer.headers.get("retry-after")).toBe("3");
      expect(answer.headers.get("allow")).toBe("POST");
      expect(answer.headers.get("mcp-session-id")).toBe("s");
    },
  );
});
