import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startDemoService, type DemoService } from "../../scripts/demo-service/demo-service.ts";
import { startInstance, type Instance } from "../support/node/instance.ts";
import { connectV2 } from "../support/node/mcp-clients.ts";
import { connectByOauth } from "../support/node/sign-in.ts";

/** `npm run test:long` */
const expiries = process.env["BINDIFY_LONG"] === "1" ? 168 : 20;

let instance: Instance;
const started: DemoService[] = [];

async function service(accessTokenTtl: () => number): Promise<DemoService> {
  const demo = await startDemoService({ port: 0, accessTokenTtl });
  started.push(demo);
  return demo;
}

beforeAll(async () => {
  instance = await startInstance({ demo: false, page: false, twin: true });
});

afterAll(async () => {
  await instance?.close();
  await Promise.all(started.map((demo) => demo.close()));
});

const sleep = async (ms: number) => await new Promise((resolve) => setTimeout(resolve, ms));

/** The two workers' addresses of one connection: isolates that share the database and the blobs, and nothing else. */
function addresses(secretUrl: string): readonly string[] {
  return [secretUrl, secretUrl.replace(instance.url, instance.twinUrl)];
}

async function initialize(url: string): Promise<string> {
  const params = {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "many", version: "1" },
  };
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params }),
  });
  const text = await response.text();
  return response.status === 200 && text.includes('"serverInfo"') ? "answered" : `${response.status} ${text}`;
}

async function call(url: string): Promise<string> {
  const client = await connectV2(url, { headers: {} });
  const notes = await client.callTool("list_notes");
  await client.close();
  return notes;
}

async function manyAtOnce(secretUrl: string): Promise<Set<string>> {
  const [first = "", second = ""] = addresses(secretUrl);
  const calls = Array.from({ length: 200 }, (_, at) => initialize(at % 2 === 0 ? first : second));
  return new Set(await Promise.all(calls));
}

async function stateOf(id: string): Promise<unknown> {
  return await instance.database
    .prepare("SELECT gen, state, sent_at FROM connections WHERE id = ?1")
    .bind(id)
    .first();
}

describe("200 calls at once over two workers that share one database", () => {
  it("T70 on an expired token: one token call, all answered", async () => {
    let life = 3;
    const demo = await service(() => life);
    const { secretUrl, connection } = await connectByOauth(instance, { service: "custom", url: demo.mcpUrl });
    // The renewed one lasts as long as the calls do, however slow they are.
    life = 600;
    await sleep(3100);
    expect(await manyAtOnce(secretUrl)).toEqual(new Set(["answered"]));
    expect(demo.stats()).toMatchObject({ tokensByRefresh: 1, tokensRefused: 0 });
    expect(await stateOf(connection.id)).toEqual({ gen: 2, state: "live", sent_at: 0 });
  });

  it("T70 on one that the service refuses early: one token call, all answered", async () => {
    const demo = await service(() => 600);
    const { secretUrl, connection } = await connectByOauth(instance, {
      service: "custom",
      url: demo.mcpUrl,
      storage: "managed",
    });
    demo.expireAccessTokens();
    expect(await manyAtOnce(secretUrl)).toEqual(new Set(["answered"]));
    expect(demo.stats()).toMatchObject({ tokensByRefresh: 1, tokensRefused: 0 });
    expect(await stateOf(connection.id)).toEqual({ gen: 2, state: "live", sent_at: 0 });
  });
});

describe("one expiry after the other, at a server whose refresh tokens serve once and end all on reuse", () => {
  it(
    `T73 after ${expiries} the connection works still`,
    async () => {
      const demo = await service(() => 2);
      const { secretUrl, connection } = await connectByOauth(instance, {
        service: "custom",
        url: demo.mcpUrl,
      });
      for (let at = 0; at < expiries; at += 1) {
        await sleep(2020);
        const [first = "", second = ""] = addresses(secretUrl);
        // Every fourth time both workers find it expired at the same moment.
        const urls = at % 4 === 3 ? [first, second, first, second] : [at % 2 === 0 ? first : second];
        expect(await Promise.all(urls.map(initialize)), `expiry ${at}`).toEqual(urls.map(() => "answered"));
      }
      const { tokensByRefresh, tokensRefused } = demo.stats();
      expect(tokensRefused).toBe(0);
      expect(tokensByRefresh).toBeGreaterThanOrEqual(expiries);
      expect(await stateOf(connection.id)).toEqual({ gen: tokensByRefresh + 1, state: "live", sent_at: 0 });
      expect(await call(secretUrl)).toEqual(expect.any(String));
    },
    expiries * 4000 + 30_000,
  );
});
