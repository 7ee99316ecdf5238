import { Agent, get, type IncomingMessage } from "node:http";
import { afterAll, beforeAll, expect, it } from "vitest";
import { residentMegabytes } from "../../scripts/bench/proc.ts";
import { type EchoUpstream, startEchoUpstream } from "../support/node/echo-upstream.ts";
import { type Instance, startInstance } from "../support/node/instance.ts";

const count = 1000;

let instance: Instance;
let upstream: EchoUpstream;
beforeAll(async () => {
  [instance, upstream] = await Promise.all([
    // The twin has no entry worker of Miniflare's before it, which would hold each stream a second time.
    startInstance({ demo: false, page: false, twin: true }),
    startEchoUpstream(),
  ]);
});
afterAll(async () => {
  await instance?.close();
  await upstream?.close();
});

interface Stream {
  readonly response: IncomingMessage;
  readonly events: () => number;
  readonly ended: Promise<void>;
}

function open(url: string, agent: Agent): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const headers = { accept: "text/event-stream", "mcp-param-behave": "/sse?count=100000&every=2000" };
    const request = get(url, { agent, headers }, (response) => {
      let events = 0;
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (events += chunk.split("\n\n").length - 1));
      // Whoever leaves breaks off: that is the end as well.
      response.on("error", () => {});
      const ended = new Promise<void>((done) => response.once("close", () => done()));
      if (response.statusCode === 200) resolve({ response, events: () => events, ended });
      else reject(new Error(`answered ${response.statusCode}`));
    });
    request.once("error", reject);
  });
}

it(`T21 ${count} event streams at once all run, in bounded memory, and end with their connection`, async () => {
  const { connection, secretUrl } = await instance.connect({ url: `${upstream.url}/mcp`, key: "good-key" });
  const url = secretUrl.replace(instance.url, instance.twinUrl);
  const agent = new Agent({ keepAlive: false, maxSockets: Number.POSITIVE_INFINITY });
  (await open(url, agent)).response.destroy();
  const before = residentMegabytes(instance.pid);

  // Given: in groups, as clients come; no listen queue holds a thousand at once.
  const streams: Stream[] = [];
  while (streams.length < count)
    streams.push(...(await Promise.all(Array.from({ length: 100 }, () => open(url, agent)))));

  // Then
  await expect
    .poll(() => streams.filter(({ events }) => events() >= 2).length, { timeout: 30_000 })
    .toBe(count);
  const after = residentMegabytes(instance.pid);
  if (before !== undefined && after !== undefined) {
    const each = ((after - before) * 1024) / count;
    console.log(
      `${count} open streams: ${before.toFixed(0)} → ${after.toFixed(0)} MB, ${each.toFixed(0)} KiB each`,
    );
    // Of the whole process: buffers of two sockets for each stream, and what its invocation keeps.
    expect(each).toBeLessThan(512);
  }

  // When
  const { status } = await instance.api("DELETE", `/api/connections/${connection.id}`);
  expect(status).toBe(200);
  const deleted = Date.now();
  await Promise.all(streams.map(({ ended }) => ended));
  expect(Date.now() - deleted).toBeLessThan(30_000);
  agent.destroy();
});
