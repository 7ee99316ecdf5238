import { afterAll, describe, expect, it } from "vitest";
import { demoKey, startDemoService } from "../../scripts/demo-service/demo-service.ts";
import { startConformanceServer } from "../support/node/conformance-server.ts";
import { startEchoUpstream } from "../support/node/echo-upstream.ts";
import { startEverything } from "../support/node/everything.ts";
import { type LegacySseOptions, startLegacySseServer } from "../support/node/legacy-sse-server.ts";
import { type ConnectedClient, connectV1, connectV2 } from "../support/node/mcp-clients.ts";

const running: { close(): Promise<void> }[] = [];
afterAll(async () => {
  for (const server of running) await server.close();
});
function started<Server extends { close(): Promise<void> }>(server: Server): Server {
  running.push(server);
  return server;
}
const bearer = (key: string) => ({ Authorization: `Bearer ${key}` });

const clients: Record<string, (url: string, headers: Record<string, string>) => Promise<ConnectedClient>> = {
  "SDK v1": (url, headers) => connectV1(url, { headers }),
  "SDK v2, 2025-11-25": (url, headers) => connectV2(url, { headers, era: "legacy" }),
  "SDK v2, 2026-07-28": (url, headers) => connectV2(url, { headers, era: "modern" }),
  "SDK v2, probing": (url, headers) => connectV2(url, { headers, era: "auto" }),
};

describe("the demo service", async () => {
  const demo = started(await startDemoService({ port: 0 }));
  for (const [name, connect] of Object.entries(clients)) {
    it(`serves ${name} by key`, async () => {
      const client = await connect(demo.mcpUrl, bearer(demoKey));
      expect(await client.listTools()).toEqual(["add_note", "list_notes", "search_notes", "count_slowly"]);
      expect(await client.callTool("add_note", { text: `From ${name}` })).toContain(`From ${name}`);
      expect(await client.callTool("search_notes", { query: name })).toContain(`From ${name}`);
      const steps: number[] = [];
      const input = { to: 3, pause_ms: 10 };
      expect(await client.callTool("count_slowly", input, (step) => steps.push(step))).toBe("Counted to 3.");
      expect(steps).toEqual([1, 2, 3]);
      await client.close();
    });
  }

  it("refuses another key and says where its metadata is", async () => {
    const response = await fetch(demo.mcpUrl, { method: "POST", headers: bearer("wrong"), body: "{}" });
    expect(response.status).toBe(401);
    const metadataUrl = /resource_metadata="([^"]+)"/.exec(
      response.headers.get("www-authenticate") ?? "",
    )?.[1];
    expect(await (await fetch(metadataUrl ?? "")).json()).toMatchObject({
      resource: demo.mcpUrl,
      authorization_servers: [demo.url],
    });
  });
});

describe("the conformance fixture", () => {
  it("wants its key in both eras", async () => {
    const server = started(await startConformanceServer({ apiKey: "k" }));
    for (const connect of Object.values(clients)) {
      await expect(connect(server.url, bearer("other"))).rejects.toThrow();
      const client = await connect(server.url, bearer("k"));
      expect(await client.callTool("test_simple_text")).toContain("simple text");
      await client.close();
    }
    expect(server.openSessions()).toBe(0);
  });
});

describe("the legacy server", () => {
  const ways: LegacySseOptions[] = [
    {},
    { announce: "absolute" },
    { opening: "bytes" },
    { opening: "crlf" },
    { opening: "comment" },
  ];
  for (const way of ways) {
    it(`serves HTTP+SSE with ${JSON.stringify(way)}`, async () => {
      const server = started(await startLegacySseServer({ ...way, apiKey: "k" }));
      const client = await connectV1(server.url, { headers: bearer("k"), sse: true });
      expect(await client.listTools()).toEqual(["echo", "count"]);
      expect(await client.callTool("echo", { text: "héllo" })).toBe("héllo");
      await client.close();
    });
  }

  it("can announce another origin, which a client refuses", async () => {
    const announce = { origin: "https://elsewhere.example" };
    const server = started(await startLegacySseServer({ announce }));
    await expect(connectV1(server.url, { sse: true })).rejects.toThrow(/origin/i);
  });
});

describe("server-everything", () => {
  for (const transport of ["streamableHttp", "sse"] as const) {
    it(`serves ${transport}`, async () => {
      const server = started(await startEverything(transport));
      const client = await connectV1(server.url, { sse: transport === "sse" });
      expect(await client.callTool("echo", { message: "there" })).toContain("there");
      await client.close();
    });
  }
});

describe("the echo upstream", async () => {
  const upstream = started(await startEchoUpstream());

  it("answers MCP to the good key only, wherever it is asked", async () => {
    const client = await connectV1(`${upstream.url}/stall`, { headers: bearer("good-key") });
    await client.close();
    await expect(connectV1(`${upstream.url}/mcp`, { headers: bearer("bad") })).rejects.toThrow();
  });

  it("does as it is told by path, header and queue", async () => {
    const body = "x".repeat(100_000);
    const echo = await (await fetch(`${upstream.url}/echo?a=1`, { method: "POST", body })).json();
    expect(echo).toMatchObject({ method: "POST", url: "/echo?a=1", length: 100_000 });
    const headers = { "Mcp-Param-Behave": "/status/418?Retry-After=3" };
    const told = await fetch(`${upstream.url}/mcp`, { headers });
    expect([told.status, told.headers.get("retry-after")]).toEqual([418, "3"]);
    upstream.next("/leak?status=502");
    const leak = await fetch(`${upstream.url}/mcp`, { headers: bearer("good-key") });
    expect([leak.status, await leak.text()]).toEqual([502, expect.stringContaining("good-key")]);
    for (const variant of ["", "&variant=crlf", "&variant=comments", "&split", "&partial&silent=20"]) {
      const events = await (await fetch(`${upstream.url}/sse?count=2${variant}`)).text();
      expect(events.match(/data: /g)).toHaveLength(2);
      expect(events).toContain("héllo 🌍");
    }
    await expect(fetch(`${upstream.url}/reset`)).rejects.toThrow();
    await expect(fetch(`${upstream.url}/cut`).then((cut) => cut.text())).rejects.toThrow();
    expect((await (await fetch(`${upstream.url}/large?mb=1`)).arrayBuffer()).byteLength).toBe(1024 * 1024);
    expect(await (await fetch(`${upstream.url}/gzip`)).json()).toEqual({ packed: true });
    expect(await (await fetch(`${upstream.url}/drip?bytes=3&every=1`)).text()).toBe("...");
  });

  it("counts the clients that leave", async () => {
    upstream.clear();
    for (const [at, path] of ["/hang", "/stall", "/sse?hold", "/large?mb=100"].entries()) {
      const leave = new AbortController();
      const read = fetch(`${upstream.url}${path}`, leave).then(async (response) => {
        const reader = response.body?.getReader();
        await reader?.read();
        // The large one is not taken whole before it is left.
        await new Promise((resolve) => leave.signal.addEventListener("abort", resolve, { once: true }));
        await reader?.read();
        return reader?.closed;
      });
      const left = expect(read).rejects.toThrow();
      await expect.poll(() => upstream.requests.length).toBe(at + 1);
      leave.abort();
      await left;
    }
    await upstream.untilAborted(4);
    expect(upstream.aborted("/sse")).toBe(1);
  });
});
