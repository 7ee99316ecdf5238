import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { type EchoUpstream, startEchoUpstream } from "../support/node/echo-upstream.ts";
import { type Connected, type Instance, startInstance } from "../support/node/instance.ts";
import { type RawResponse, sendRaw } from "../support/node/raw-http.ts";

let instance: Instance;
let upstream: EchoUpstream;
let connected: Connected;

beforeAll(async () => {
  // The twin is reached without Miniflare's entry worker, which adds headers of its own.
  [instance, upstream] = await Promise.all([
    startInstance({ demo: false, page: false, twin: true }),
    startEchoUpstream(),
  ]);
  connected = await instance.connect({ url: `${upstream.url}/mcp`, key: "good-key" });
});
afterAll(async () => {
  await instance?.close();
  await upstream?.close();
});

type Headers = Record<string, string>;
const call = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" });

/** Sends exactly these headers, by the secret URL unless the API key is among them. */
async function send(behaviour: string, headers: Headers, query = ""): Promise<RawResponse> {
  upstream.clear();
  const byKey = Object.values(headers).some((value) => value.includes(connected.apiKey));
  const { pathname } = new URL(byKey ? connected.mcpUrl : connected.secretUrl);
  const exchange = await sendRaw(instance.twinUrl, {
    target: pathname + query,
    headers: { "Mcp-Param-Behave": behaviour, ...headers },
    body: call,
  });
  return await exchange.answer();
}

const echoed = z.object({ rawHeaders: z.array(z.string()) });

/** What the service got: `[name in lower case, value]`, sorted. */
async function received(headers: Headers, query = ""): Promise<[string, string][]> {
  const answer = await send("/echo", headers, query);
  expect(answer.status).toBe(200);
  const { rawHeaders } = echoed.parse(JSON.parse(answer.body));
  const pairs = rawHeaders.flatMap((name, at): [string, string][] =>
    at % 2 === 0 ? [[name.toLowerCase(), rawHeaders[at + 1] ?? ""]] : [],
  );
  return pairs.toSorted(([a], [b]) => a.localeCompare(b));
}

/** What the service gets of any request of this length. */
const always = (): [string, string][] => [
  ["accept-encoding", "identity"],
  ["authorization", "Bearer good-key"],
  // The platform's own, on every request of a worker: the name of its zone.
  ["cf-worker", "twin.example.com"],
  ["content-length", String(call.length)],
  ["content-type", "application/json"],
  ["host", new URL(upstream.url).host],
  ["mcp-param-behave", "/echo"],
];

const ask = (url: string) =>
  fetch(url, { method: "POST", body: call, headers: { "cache-control": "max-age=60" } });
const keys = (echo: EchoUpstream) => echo.requests.map(({ headers }) => headers["authorization"]);

describe("what the service gets", () => {
  it("T60 nothing of what identifies the client or its way here", async () => {
    const headers = {
      "Accept-Encoding": "gzip, br",
      Cookie: "session=client",
      Origin: instance.url,
      Referer: connected.secretUrl,
      "X-Api-Key": "a key of the client's own",
      "X-Forwarded-For": "198.51.100.7",
      "X-Forwarded-Host": "evil.example",
      "X-Forwarded-Proto": "https",
      "X-Real-IP": "198.51.100.7",
      Forwarded: "for=198.51.100.7",
      "CF-Connecting-IP": "198.51.100.7",
      "CF-IPCountry": "XX",
      "CF-Ray": "1",
      "True-Client-IP": "198.51.100.7",
      Via: "1.1 client",
      "Proxy-Authorization": "Basic eDp5",
      TE: "trailers",
      "X-Custom": "unknown",
      "Sec-Fetch-Mode": "cors",
    };
    expect(await received(headers)).toEqual(always());
  });

  it("T60 what MCP needs passes; what Connection names stays on this hop", async () => {
    const passing: Headers = {
      Accept: "application/json, text/event-stream",
      "Accept-Language": "de-CH, en;q=0.5",
      "Last-Event-ID": "41_a-b",
      "MCP-Protocol-Version": "2025-11-25",
      "Mcp-Session-Id": "s-1",
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      tracestate: "vendor=1",
      "User-Agent": "client/1.0 (test)",
    };
    const hop = { Connection: "close, Mcp-Param-Hop, Authorization", "Mcp-Param-Hop": "one hop only" };
    const expected = [
      ...always(),
      ...Object.entries(passing).map(([name, value]): [string, string] => [name.toLowerCase(), value]),
    ];
    expect(await received({ ...passing, ...hop })).toEqual(
      expected.toSorted(([a], [b]) => a.localeCompare(b)),
    );
  });

  it("T61 every Mcp-* header passes with its value byte for byte, also those nobody knows yet", async () => {
    const headers: Headers = {
      "Mcp-Method": "tools/call",
      "Mcp-Name": 'a  b;c="d",e\\f',
      "Mcp-Param-Region": "=?base64?WsO8cmljaCDljJc=?=",
      "mcp-param-UPPER": "MiXeD Case %41%2F",
      "Mcp-Param-Empty": "",
      "MCP-Of-Tomorrow": "x".repeat(8000),
    };
    const found = new Map(await received(headers));
    for (const [name, value] of Object.entries(headers)) {
      expect([name, found.get(name.toLowerCase())]).toEqual([name, value]);
    }
  });

  it("T61 a bare value outside of ASCII, which the runtime would change, is refused with a sentence", async () => {
    for (const value of ["Z\u00fcrich", Buffer.from("Z\u00fcrich \u5317").toString("latin1")]) {
      const answer = await send("/echo", { "Mcp-Param-City": value });
      expect(JSON.parse(answer.body)).toMatchObject({
        id: 1,
        error: { data: { code: "header_not_ascii" }, message: expect.stringContaining("mcp-param-city") },
      });
      expect(upstream.requests).toEqual([]);
    }
  });

  it("T62 neither form of the client's credential is in what the service gets", async () => {
    const forms: Headers[] = [
      {},
      { Authorization: `Bearer ${connected.apiKey}` },
      { "X-API-Key": connected.apiKey },
      { Authorization: "Bearer of-the-client", "X-API-Key": connected.apiKey },
    ];
    const credential = new URL(connected.secretUrl).pathname.split("/").at(-1) ?? "";
    for (const form of forms) {
      expect(await received(form)).toEqual(always());
      const [request] = upstream.requests;
      const all = JSON.stringify([request?.url, request?.rawHeaders, request?.body]);
      for (const secret of [credential, connected.apiKey, "of-the-client"]) expect(all).not.toContain(secret);
    }
  });

  it("T63 the client's query and its headers override nothing", async () => {
    const headers = { Authorization: "Bearer mine", Host: new URL(instance.twinUrl).host };
    const query = "?api_key=mine&authorization=Bearer%20mine&url=http://evil.example";
    expect(await received(headers, query)).toEqual(always());
    expect(upstream.requests.map(({ url }) => url)).toEqual(["/mcp"]);
  });

  it("T66 the same request of two people makes two calls, each with its own key", async () => {
    const others = await startEchoUpstream({ key: "other-key" });
    const other = await instance.connect({ url: `${others.url}/mcp`, key: "other-key", user: "other" });
    upstream.clear();
    others.clear();
    const answers = await Promise.all([connected, other, connected].map(({ secretUrl }) => ask(secretUrl)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect([keys(upstream), keys(others)]).toEqual([
      ["Bearer good-key", "Bearer good-key"],
      ["Bearer other-key"],
    ]);
    await others.close();
  });
});

describe("what the client gets", () => {
  it("T65 no cookie, no challenge, nothing of one hop; the session and what clients act on", async () => {
    const { status, headers } = await send("/cookie", {});
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      "content-type": "application/json",
      "mcp-session-id": "session-of-upstream",
      "retry-after": "7",
      "cache-control": "no-store",
    });
    const known = ["content-type", "mcp-session-id", "retry-after", "cache-control"];
    // Ours: what keeps an answer from running as a page, and how this hop frames it.
    const ours = ["content-security-policy", "x-content-type-options", "referrer-policy"];
    const framing = ["transfer-encoding", "content-length", "connection"];
    const allowed = [...known, ...ours, ...framing];
    expect(Object.keys(headers).filter((name) => !allowed.includes(name))).toEqual([]);
  });

  it("T60 the statuses that clients act on pass as they are", async () => {
    for (const status of [200, 202, 204, 400, 404, 405, 406, 409, 429, 500, 503]) {
      const answer = await send(`/status/${status}?Retry-After=3&Allow=POST`, {});
      expect(answer.status).toBe(status);
      expect([answer.headers["retry-after"], answer.headers["allow"]]).toEqual(["3", "POST"]);
      if (status !== 204) expect(JSON.parse(answer.body)).toEqual({ status });
    }
  });

  it("T52 a redirect is neither followed nor relayed", async () => {
    for (const code of [301, 302, 303, 307, 308]) {
      const answer = await send(
        `/redirect?code=${code}&to=${encodeURIComponent(`${upstream.url}/echo`)}`,
        {},
      );
      expect(answer.status).toBe(200);
      expect(JSON.parse(answer.body)).toMatchObject({
        id: 1,
        error: { data: { code: "upstream_redirected" } },
      });
      expect(answer.headers["location"]).toBeUndefined();
      expect(upstream.requests).toHaveLength(1);
    }
  });
});
