import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { formsOf } from "../support/node/credential-forms.ts";
import { type EchoUpstream, startEchoUpstream } from "../support/node/echo-upstream.ts";
import { type Connected, type Instance, startInstance } from "../support/node/instance.ts";
import { connectV1, connectV2 } from "../support/node/mcp-clients.ts";
import { sendRaw } from "../support/node/raw-http.ts";

/** Before any limit of the twin's is reached, ms: it did not wait for one. */
const atOnce = 2500;
/** Long after any of the twin's limits, and long before another instance's: it was cut by the twin's, ms. */
const late = 20_000;

/** The twin has short limits, and no entry worker of Miniflare's before it. */
let instance: Instance;
let upstream: EchoUpstream;
let connected: Connected;

beforeAll(async () => {
  [instance, upstream] = await Promise.all([
    startInstance({
      demo: false,
      page: false,
      twin: true,
      twinVariables: { UPSTREAM_TIMEOUT_SECONDS: "3", RESPONSE_TIMEOUT_SECONDS: "4" },
    }),
    startEchoUpstream(),
  ]);
  connected = await instance.connect({ url: `${upstream.url}/mcp`, key: "good-key" });
});
afterAll(async () => {
  await instance?.close();
  await upstream?.close();
});

const call = JSON.stringify({ jsonrpc: "2.0", id: 7, method: "tools/list" });
const atTwin = (url: string) => url.replace(instance.url, instance.twinUrl);

function post(url: string, behaviour: string, signal?: AbortSignal): Promise<Response> {
  return fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", "mcp-param-behave": behaviour },
    body: call,
    ...(signal !== undefined && { signal }),
  });
}

function open(url: string, behaviour: string): Promise<Response> {
  return fetch(url, { headers: { accept: "text/event-stream", "mcp-param-behave": behaviour } });
}

async function timed<T>(work: Promise<T>): Promise<[T, number]> {
  const started = Date.now();
  return [await work, Date.now() - started];
}

describe("a service that stalls", () => {
  afterEach(() => upstream.clear());

  it("T68 before its answer begins is cut at the limit, with a sentence", async () => {
    const [answer, ms] = await timed(post(atTwin(connected.secretUrl), "/hang"));
    expect(await answer.json()).toMatchObject({
      id: 7,
      error: { data: { code: "upstream_timeout" }, message: expect.stringContaining("Try again") },
    });
    expect(ms).toBeGreaterThan(2900);
    expect(ms).toBeLessThan(late);
    await upstream.untilAborted(1, "/hang");
  });

  for (const behaviour of ["/stall", "/stall?type=text/html", "/drip?bytes=1000&every=50"]) {
    it(`T68 in the middle of an answer that is no event stream is cut at the limit (${behaviour})`, async () => {
      const [answer, begun] = await timed(post(atTwin(connected.secretUrl), behaviour));
      expect(answer.status).toBe(200);
      const [, ms] = await timed(answer.text());
      expect(begun + ms).toBeGreaterThan(3900);
      expect(ms).toBeLessThan(late);
      await upstream.untilAborted(1);
    });
  }

  it("T68 an event stream is no such answer: it outlasts both limits", async () => {
    const path = "/sse?count=2&silent=5500";
    const [text, ms] = await timed(open(atTwin(connected.secretUrl), path).then((answer) => answer.text()));
    expect(text.match(/^data: /gm)).toHaveLength(2);
    expect(ms).toBeGreaterThan(5400);
  });
});

describe("a service that breaks off", () => {
  it("before its answer is a sentence; in the middle of it, the client learns at once", async () => {
    for (const url of [connected.secretUrl, atTwin(connected.secretUrl)]) {
      const reset = await post(url, "/reset");
      expect(await reset.json()).toMatchObject({ error: { data: { code: "upstream_unreachable" } } });
      // A short answer of declared length is handed back natively, and so is its end.
      const [short, soon] = await timed(post(url, "/cut").then((answer) => answer.text().catch(String)));
      expect([short, soon < atOnce]).toEqual(["TypeError: terminated", true]);
      for (const [behaviour, length] of [
        ["/cut?chunked", 100],
        ["/cut?after=10000", 10_000],
      ] as const) {
        const [text, ms] = await timed(post(url, behaviour).then((answer) => answer.text()));
        // What came is passed on; JSON without its end is no JSON.
        expect(text).toBe("x".repeat(length));
        expect(ms).toBeLessThan(atOnce);
      }
      const [events, ms] = await timed(
        open(url, "/cut?chunked&type=text/event-stream").then((a) => a.text()),
      );
      expect([events, ms < atOnce]).toEqual(["x".repeat(100), true]);
    }
  });

  it("SDK clients fail at once when an answer is cut", async () => {
    for (const connect of [connectV1, connectV2]) {
      const client = await connect(connected.secretUrl);
      for (const behaviour of ["/cut?after=50", "/cut?after=50&chunked"]) {
        upstream.always(behaviour);
        const [complaint, ms] = await timed(client.callTool("noop").catch(String));
        upstream.always();
        expect(complaint).toMatch(/JSON|terminated/);
        expect(ms).toBeLessThan(atOnce);
      }
      await client.close();
    }
  });
});

describe("a client that leaves", () => {
  afterEach(() => upstream.clear());
  const held = [
    ["POST", "/hang"],
    ["POST", "/stall"],
    ["POST", "/sse?hold"],
    ["GET", "/sse?hold"],
    ["POST", "/drip?bytes=1000&every=50"],
  ] as const;

  for (const [method, behaviour] of held) {
    it(`T68 ends the request at the service, by both forms (${method} ${behaviour})`, async () => {
      for (const { url, headers } of formsOf(connected)) {
        upstream.clear();
        const exchange = await sendRaw(url, {
          method,
          headers: { ...headers, "Mcp-Param-Behave": behaviour },
          ...(method === "POST" && { body: call }),
        });
        await expect.poll(() => upstream.requests.length).toBe(1);
        await pause(100);
        expect(upstream.aborted()).toBe(0);
        exchange.reset();
        await upstream.untilAborted(1);
      }
    });
  }

  it("T68 and one that merely closes is noticed at the next bytes", async () => {
    for (const behaviour of ["/sse?count=1000&every=50", "/drip?bytes=1000&every=50", "/large?mb=100"]) {
      upstream.clear();
      const leave = new AbortController();
      const answer = await post(atTwin(connected.secretUrl), behaviour, leave.signal);
      await answer.body?.getReader().read();
      leave.abort();
      await upstream.untilAborted(1);
    }
  });
});

describe("event streams", () => {
  it("of every shape pass byte for byte", async () => {
    const variants = ["", "crlf", "cr", "comments", "bare", "lines"];
    const paths = variants.flatMap((variant) =>
      ["", "&split"].map((more) => `/sse?count=3&every=1&variant=${variant}${more}`),
    );
    await Promise.all(
      paths.map(async (path) => {
        const direct = await (await fetch(upstream.url + path)).text();
        const through = await open(connected.secretUrl, path);
        expect(through.headers.get("content-type")).toBe("text/event-stream");
        expect(await through.text(), path).toBe(direct);
      }),
    );
  });
});

describe("the platform's log", () => {
  it("T93 none of these invocations left a line or an exception, which would carry its URL", async () => {
    await pause(500);
    const proxied = instance.traces.filter(({ url }) => url?.includes("/mcp/"));
    expect(proxied.length).toBeGreaterThan(30);
    expect(proxied.filter(({ exceptions, logs }) => exceptions.length + logs.length > 0)).toEqual([]);
    expect(instance.logs).toEqual([]);
  });
});
