import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formsOf } from "../support/node/credential-forms.ts";
import { type EchoUpstream, startEchoUpstream } from "../support/node/echo-upstream.ts";
import { type Connected, type Instance, startInstance } from "../support/node/instance.ts";
import { type ConnectedClient, connectV1, connectV2 } from "../support/node/mcp-clients.ts";
import { connectMcpRemote } from "../support/node/mcp-remote.ts";

/** The twin is a deployment whose operator has paused the service. */
let instance: Instance;
let upstream: EchoUpstream;
let working: Connected;
let revoked: Connected;
let dead: Connected;
/** Well-formed, and the database knows nothing of it. */
let unheardOf: Connected;

beforeAll(async () => {
  instance = await startInstance({
    demo: false,
    page: false,
    twin: true,
    twinVariables: { PAUSED_SERVICES: "custom" },
  });
  upstream = await startEchoUpstream();
  const closed = await startEchoUpstream();
  const connect = (url: string) => instance.connect({ url: `${url}/mcp`, key: "good-key" });
  working = await connect(upstream.url);
  revoked = await connect(upstream.url);
  dead = await connect(closed.url);
  unheardOf = await connect(upstream.url);
  const forget = instance.database.prepare("DELETE FROM connections WHERE id = ?1");
  await forget.bind(unheardOf.connection.id).run();
  await closed.close();
  const { status } = await instance.api("DELETE", `/api/connections/${revoked.connection.id}`);
  expect(status).toBe(200);
});
afterAll(async () => {
  await instance?.close();
  await upstream?.close();
});

const unknown =
  /is not known for this service: it was mistyped, replaced or disconnected\. Open http\S+ and copy/;

interface Case {
  readonly connected: () => Connected;
  readonly sentence: RegExp;
  /** What the service answers meanwhile. */
  readonly behaviour?: string;
}

const cases: Record<string, Case> = {
  "a revoked credential": { connected: () => revoked, sentence: unknown },
  "an unknown credential": {
    connected: () => unheardOf,
    sentence: unknown,
  },
  "a mistyped credential": {
    connected: () => ({
      ...working,
      secretUrl: working.secretUrl.slice(0, -1),
      apiKey: `${working.apiKey.slice(0, -6)}000000`,
    }),
    sentence: unknown,
  },
  "a credential of another service": {
    connected: () => ({
      ...working,
      secretUrl: working.secretUrl.replace("/custom/", "/linear/"),
      mcpUrl: working.mcpUrl.replace("/custom", "/linear"),
    }),
    sentence: unknown,
  },
  "a dead upstream": {
    connected: () => dead,
    sentence: /could not be reached\. Nothing is wrong with your connection; try again in a moment\./,
  },
  "an upstream that answers 401": {
    connected: () => working,
    behaviour: "/status/401",
    sentence:
      /no longer accepts the key of this connection\. Create a new key there and connect again at http/,
  },
  "a paused service": {
    connected: () => ({
      ...working,
      secretUrl: working.secretUrl.replace(instance.url, instance.twinUrl),
      mcpUrl: working.mcpUrl.replace(instance.url, instance.twinUrl),
    }),
    sentence: /is paused by the operator of this Bindify\. Nothing is lost; try again later\./,
  },
};

type Connect = (url: string, headers: Record<string, string>) => Promise<ConnectedClient>;

const clients: Record<string, Connect> = {
  "SDK v1": (url, headers) => connectV1(url, { headers }),
  "SDK v2, 2025-11-25": (url, headers) => connectV2(url, { headers, era: "legacy" }),
  "SDK v2, probing": (url, headers) => connectV2(url, { headers, era: "auto" }),
};

/** What the client's user would read, and that it came at once rather than by a time-out. */
async function complaintOf(attempt: () => Promise<unknown>, limit = 20_000): Promise<string> {
  const started = Date.now();
  const complaint = await attempt().then(
    () => "no complaint",
    (error: unknown) => String(error),
  );
  expect(Date.now() - started).toBeLessThan(limit);
  return complaint;
}

for (const [name, { connected, sentence, behaviour }] of Object.entries(cases)) {
  describe(`${name}: each client shows a sentence that says what to do`, () => {
    beforeAll(() => upstream.always(behaviour));
    afterAll(() => upstream.always());

    for (const [client, connect] of Object.entries(clients)) {
      it(`${client}, by both forms`, async () => {
        for (const { url, headers } of formsOf(connected())) {
          const complaint = await complaintOf(() => connect(url, headers));
          expect(complaint).toMatch(sentence);
          expect(complaint).not.toContain(working.apiKey.slice(9, 40));
        }
      });
    }

    // These two show only that connecting failed, whatever is answered; they must not wait either.
    it("a client pinned to 2026-07-28, and one of HTTP+SSE, fail at once", async () => {
      for (const { url, headers } of formsOf(connected())) {
        const pinned = await complaintOf(() => connectV2(url, { headers, era: "modern" }));
        expect(pinned).toContain("Version negotiation failed");
        const legacy = await complaintOf(() => connectV1(url, { headers, sse: true }));
        expect(legacy).toMatch(/Non-200 status code \((404|502|503)\)/);
      }
    });
  });
}

describe("in the middle of a session", () => {
  it("both SDKs show the sentence when their connection is revoked under them", async () => {
    const own = await instance.connect({ url: `${upstream.url}/mcp`, key: "good-key" });
    const sessions = [await connectV1(own.secretUrl), await connectV2(own.secretUrl)];
    for (const session of sessions) expect(await session.callTool("noop")).toBe("done");
    await instance.api("DELETE", `/api/connections/${own.connection.id}`);
    for (const session of sessions) {
      expect(await complaintOf(() => session.callTool("noop"))).toMatch(unknown);
      expect(await complaintOf(() => session.listTools())).toMatch(unknown);
    }
  });

  it("mcp-remote passes the sentence on", async () => {
    const complaint = await complaintOf(async () => {
      const bridge = await connectMcpRemote(revoked.secretUrl, { folder: instance.folder });
      await bridge.close();
    });
    expect(complaint).toMatch(unknown);
  });
});

describe("without a credential", () => {
  it("the header route answers 401 as JSON, with a challenge that leads nowhere", async () => {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize" });
    const answer = await fetch(working.mcpUrl, { method: "POST", body });
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toBe("Bearer");
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(await answer.json()).toMatchObject({ code: "missing_credential", status: 401 });
    const complaint = await complaintOf(() => connectV1(working.mcpUrl));
    expect(complaint).toMatch(/Send your Bindify API key as `Authorization: Bearer bnd_…`/);
  });
});
