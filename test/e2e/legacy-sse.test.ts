import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formsOf } from "../support/node/credential-forms.ts";
import { type EchoUpstream, startEchoUpstream } from "../support/node/echo-upstream.ts";
import { type Instance, startInstance } from "../support/node/instance.ts";
import {
  type LegacySseOptions,
  type LegacySseServer,
  startLegacySseServer,
} from "../support/node/legacy-sse-server.ts";
import { connectV1 } from "../support/node/mcp-clients.ts";

const apiKey = "legacy-key";

let instance: Instance;
let elsewhere: EchoUpstream;
const servers: LegacySseServer[] = [];

beforeAll(async () => {
  [instance, elsewhere] = await Promise.all([
    startInstance({ demo: false, page: false }),
    startEchoUpstream(),
  ]);
});
afterAll(async () => {
  await instance?.close();
  await elsewhere?.close();
  for (const server of servers) await server.close();
});

async function connect(options: LegacySseOptions = {}) {
  const server = await startLegacySseServer({ apiKey, ...options });
  servers.push(server);
  return { server, connected: await instance.connect({ url: server.url, key: apiKey }) };
}

const call = {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" }),
};

/** Reads the first event of a stream and leaves it open. */
async function openStream(url: string): Promise<{ event: string; leave: () => Promise<void> }> {
  const answer = await fetch(url, { headers: { accept: "text/event-stream" } });
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toContain("text/event-stream");
  if (answer.body === null) throw new Error("no stream");
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let event = "";
  while (!event.endsWith("\n\n")) event += (await reader.read()).value ?? "";
  return { event, leave: () => reader.cancel() };
}

describe("a server of HTTP+SSE (2024-11-05)", () => {
  const ways: LegacySseOptions[] = [
    {},
    { announce: "absolute" },
    { opening: "bytes" },
    { opening: "crlf" },
    { opening: "comment" },
    { announce: "absolute", opening: "bytes" },
  ];
  for (const way of ways) {
    it(`serves the SDK by both forms, opening its stream as ${JSON.stringify(way)}`, async () => {
      const { connected } = await connect(way);
      for (const { url, headers } of formsOf(connected)) {
        for (const address of [url, `${url}/sse`]) {
          const client = await connectV1(address, { headers, sse: true });
          expect(await client.listTools()).toEqual(["echo", "count"]);
          expect(await client.callTool("echo", { text: "héllo 🌍" })).toBe("héllo 🌍");
          const steps: number[] = [];
          expect(await client.callTool("count", {}, (step) => steps.push(step))).toBe("Counted to 3.");
          expect(steps).toEqual([1, 2, 3]);
          await client.close();
        }
      }
    });
  }

  it("the address for messages is a path of ours that shows nothing of the service", async () => {
    const { server, connected } = await connect();
    const { event, leave } = await openStream(`${connected.secretUrl}/sse`);
    const path = new URL(connected.secretUrl).pathname;
    const endpoint = /^event: endpoint\ndata: (\S+)\n\n$/.exec(event)?.[1] ?? "";
    expect(endpoint.startsWith(`${path}/messages?e=`)).toBe(true);
    expect(endpoint).not.toContain("sessionId");
    await leave();
    expect(server.messages()).toBe(0);
  });

  it("T51 an address of another origin is refused: the secret is not sent there, and the stream is let go", async () => {
    const { server, connected } = await connect({ announce: { origin: elsewhere.url } });
    const answer = await fetch(`${connected.secretUrl}/sse`);
    expect(answer.status).toBe(502);
    expect(await answer.json()).toMatchObject({ code: "upstream_protocol" });
    await expect(connectV1(connected.secretUrl, { sse: true })).rejects.toThrow(/502/);
    expect(elsewhere.requests).toEqual([]);
    await expect.poll(() => server.openSessions()).toBe(0);
  });

  it("an address for messages that was made for another connection is unknown", async () => {
    const [one, two] = [await connect(), await connect()];
    const { event, leave } = await openStream(`${one.connected.secretUrl}/sse`);
    const sealed = /\?e=(\S+)/.exec(event)?.[1] ?? "";
    const strange = [sealed, sealed.slice(0, -2), `${sealed}A`, ""];
    for (const given of strange) {
      const answer = await fetch(`${two.connected.secretUrl}/messages?e=${given}`, call);
      expect(await answer.json()).toMatchObject({ error: { data: { code: "unknown_credential" } } });
    }
    expect([one.server.messages(), two.server.messages()]).toEqual([0, 0]);
    const own = await fetch(`${one.connected.secretUrl}/messages?e=${sealed}`, call);
    expect(own.status).toBe(202);
    expect(one.server.messages()).toBe(1);
    await leave();
  });

  it("T21 messages of a session are refused once the connection is revoked", async () => {
    const { server, connected } = await connect();
    const client = await connectV1(connected.secretUrl, { sse: true });
    expect(await client.callTool("echo", { text: "before" })).toBe("before");
    const before = server.messages();
    await instance.api("DELETE", `/api/connections/${connected.connection.id}`);
    const late = client.callTool("echo", { text: "after" });
    await expect(
      Promise.race([late, new Promise((resolve) => setTimeout(resolve, 1000, "nothing"))]),
    ).resolves.toBe("nothing");
    expect(server.messages()).toBe(before);
    await Promise.all([client.close(), expect(late).rejects.toThrow()]);
  });

  it("an address of HTTP+SSE below a service of streamable HTTP is answered with the right one", async () => {
    const { secretUrl } = await instance.connect({ url: `${elsewhere.url}/mcp`, key: "good-key" });
    const answer = await fetch(`${secretUrl}/sse`, call);
    expect(await answer.json()).toMatchObject({
      id: 1,
      error: { data: { code: "wrong_transport" }, message: expect.stringContaining("without the /sse") },
    });
    expect((await fetch(`${secretUrl}/sse`)).status).toBe(404);
  });
});
