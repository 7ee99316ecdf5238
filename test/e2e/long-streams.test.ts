import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formsOf } from "../support/node/credential-forms.ts";
import { type EchoUpstream, startEchoUpstream } from "../support/node/echo-upstream.ts";
import { type Connected, type Instance, startInstance } from "../support/node/instance.ts";

/** Two isolates over one database: what the second has cached nobody tells it to forget. */
let instance: Instance;
let upstream: EchoUpstream;

beforeAll(async () => {
  [instance, upstream] = await Promise.all([
    startInstance({ demo: false, page: false, twin: true }),
    startEchoUpstream(),
  ]);
});
afterAll(async () => {
  await instance?.close();
  await upstream?.close();
});

const call = JSON.stringify({ jsonrpc: "2.0", id: 7, method: "tools/list" });

/** The four ways to a connection: two forms at two isolates. */
function waysTo(connected: Connected): { url: string; headers: Record<string, string> }[] {
  return formsOf(connected).flatMap(({ url, headers }) => [
    { url, headers },
    { url: url.replace(instance.url, instance.twinUrl), headers },
  ]);
}

function open(connected: Connected, path: string): Promise<Response>[] {
  return waysTo(connected).map(({ url, headers }) =>
    fetch(url, { headers: { ...headers, accept: "text/event-stream", "mcp-param-behave": path } }),
  );
}

/** How much of it came, and how long after `since` it ended, ms. */
async function read(answer: Response, since: () => number): Promise<{ text: string; after: number }> {
  const text = await answer.text();
  return { text, after: Date.now() - since() };
}

// Each of these waits for time to pass, so they do it together.
describe.concurrent("event streams that stay open", () => {
  it("a silent one gets a keepalive comment after 25 s, between events and nowhere else", async () => {
    const { secretUrl } = await instance.connect({ url: `${upstream.url}/mcp`, key: "good-key" });
    const texts = await Promise.all(
      ["/sse?count=2&silent=38000", "/sse?count=2&partial&silent=38000", "/sse?count=38&every=1000"].map(
        async (path) => {
          const answer = await fetch(secretUrl, { headers: { "mcp-param-behave": path } });
          return await answer.text();
        },
      ),
    );
    const [silent = "", partial = "", busy = ""] = texts;
    expect(silent.split("\n\n")).toEqual([
      expect.stringContaining('"n":1'),
      ": keepalive",
      expect.stringContaining('"n":2'),
      "",
    ]);
    const without = await (await fetch(`${upstream.url}/sse?count=2`)).text();
    expect(silent.replace(": keepalive\n\n", "")).toBe(without);
    // The silence fell inside an event, where a comment would become part of it.
    expect(partial).toBe(without);
    expect(busy).not.toContain("keepalive");
  });

  it("T21 when DELETE has answered nothing is forwarded, and open streams end within 30 s, in either isolate", async () => {
    const connected = await instance.connect({ url: `${upstream.url}/mcp/revoked`, key: "good-key" });
    const { id } = connected.connection;
    const mine = () => upstream.requests.filter(({ url }) => url === "/mcp/revoked");
    const ask = () =>
      Promise.all(
        waysTo(connected).map(async ({ url, headers }) => {
          const answer = await fetch(url, { method: "POST", headers, body: call });
          return await answer.text();
        }),
      );

    // Given: the row has given its blob up, so that both isolates keep theirs from KV; and streams are open.
    const name = `t/${id}/1/0`;
    await expect.poll(() => instance.blobs.get(name)).not.toBeNull();
    const blob = (await instance.blobs.get(name, "text")) ?? "";
    await instance.database.prepare("UPDATE connections SET blob = NULL WHERE id = ?1").bind(id).run();
    for (const text of await ask()) expect(text).toContain('"result"');
    let deleted = Number.NaN;
    const streams = await Promise.all([
      ...open(connected, "/sse?hold"),
      ...open(connected, "/sse?count=200&every=500"),
    ]);
    expect(streams.map(({ status }) => status)).toEqual(Array(8).fill(200));
    const ends = streams.map((stream) => read(stream, () => deleted));

    // When
    const { status } = await instance.api("DELETE", `/api/connections/${id}`);
    deleted = Date.now();
    expect(status).toBe(200);
    const before = mine().length;
    // KV may go on showing what was deleted.
    await instance.blobs.put(name, blob);

    // Then
    for (let round = 0; round < 10; round += 1) {
      for (const text of await ask()) expect(text).toContain("unknown_credential");
    }
    for (const answer of await Promise.all(open(connected, "/sse?hold"))) expect(answer.status).toBe(404);
    expect(mine().length).toBe(before);
    for (const { text, after } of await Promise.all(ends)) {
      expect(after).toBeLessThan(30_000);
      // Whole events: what was cut off is never half an event.
      expect(text === "" || text.endsWith("\n\n")).toBe(true);
    }
    await expect.poll(() => mine().filter(({ aborted }) => aborted).length).toBe(8);
  });

  it("T21 the streams of another connection in the same isolates go on", async () => {
    const connected = await instance.connect({ url: `${upstream.url}/mcp`, key: "good-key" });
    const streams = await Promise.all(open(connected, "/sse?count=24&every=1000"));
    for (const { text } of await Promise.all(streams.map((stream) => read(stream, Date.now)))) {
      expect(text.match(/^data: /gm)).toHaveLength(24);
    }
  });
});
