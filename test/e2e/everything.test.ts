import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectAsked } from "../support/node/asked-client.ts";
import { type ConformanceServer, startConformanceServer } from "../support/node/conformance-server.ts";
import { type CredentialForm, formsOf } from "../support/node/credential-forms.ts";
import { type Everything, startEverything } from "../support/node/everything.ts";
import { type Connected, type Instance, startInstance } from "../support/node/instance.ts";
import { connectV1, connectV2 } from "../support/node/mcp-clients.ts";
import { readEvents } from "../support/node/sse-reader.ts";

let instance: Instance;
let everything: Everything;
let everythingSse: Everything;
let fixture: ConformanceServer;
let http: Connected;
let sse: Connected;
let conforming: Connected;

beforeAll(async () => {
  [instance, everything, everythingSse, fixture] = await Promise.all([
    startInstance({ demo: false, page: false }),
    startEverything("streamableHttp"),
    startEverything("sse"),
    startConformanceServer({ apiKey: "fixture-key" }),
  ]);
  http = await instance.connect({ url: everything.url, key: "unused" });
  sse = await instance.connect({ url: everythingSse.url, key: "unused" });
  conforming = await instance.connect({ url: fixture.url, key: "fixture-key" });
});
afterAll(async () => {
  await Promise.all([instance?.close(), everything?.close(), everythingSse?.close(), fixture?.close()]);
});

const formNames = ["secret URL", "API key"] as const;

function formOf(transport: "http" | "sse", at: 0 | 1): CredentialForm {
  if (transport === "http") return formsOf(http)[at];
  const form = formsOf(sse)[at];
  return { ...form, url: `${form.url}/sse` };
}

for (const transport of ["http", "sse"] as const) {
  for (const at of [0, 1] as const) {
    describe(`server-everything over ${transport} by ${formNames[at]}`, () => {
      it("lists tools, reports progress, samples and elicits, then ends the session", async () => {
        const session = await connectAsked(formOf(transport, at), transport);
        const { client, asked, progress } = session;
        const listed = (await client.listTools()).tools.map(({ name }) => name);
        expect(listed).toEqual(expect.arrayContaining(["echo", "get-sum", "trigger-sampling-request"]));
        const sum = await client.callTool({ name: "get-sum", arguments: { a: 2, b: 3 } });
        expect(JSON.stringify(sum)).toContain("5");

        const slow = { name: "trigger-long-running-operation", arguments: { duration: 0.4, steps: 4 } };
        await client.callTool(slow, undefined, { onprogress: () => {} });
        expect(progress).toEqual([1, 2, 3, 4]);

        const prompt = { prompt: "Say something", maxTokens: 10 };
        const sampled = await client.callTool({ name: "trigger-sampling-request", arguments: prompt });
        expect(JSON.stringify(sampled)).toContain("sampled-answer");
        const elicited = await client.callTool({ name: "trigger-elicitation-request" });
        expect(JSON.stringify(elicited)).toContain("Ada Lovelace");
        expect(asked).toEqual(["sampling/createMessage", "elicitation/create"]);
        await session.endSession();
        await session.close();
      });
    });
  }
}

describe("HTTP+SSE without the /sse at the end", () => {
  it("a client that tries streamable HTTP is told 405 and finds the stream at the same address", async () => {
    const [{ url }] = formsOf(sse);
    const posted = await fetch(url, { method: "POST", body: "{}" });
    expect([posted.status, posted.headers.get("allow")]).toEqual([405, "GET"]);
    const session = await connectAsked({ url, headers: {} }, "sse");
    const echoed = await session.client.callTool({ name: "echo", arguments: { message: "found it" } });
    expect(JSON.stringify(echoed)).toContain("found it");
    await session.close();
  });
});

const rpc = (id: number, method: string, params: object) =>
  JSON.stringify({ jsonrpc: "2.0", id, method, params });

async function post(form: CredentialForm, body: string, session?: string, signal?: AbortSignal) {
  return await fetch(form.url, {
    method: "POST",
    headers: {
      ...form.headers,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...(session !== undefined && { "mcp-session-id": session }),
    },
    body,
    ...(signal !== undefined && { signal }),
  });
}

async function openSession(form: CredentialForm): Promise<string> {
  const clientInfo = { name: "bindify-test", version: "1.0.0" };
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo };
  const answer = await post(form, rpc(1, "initialize", params));
  await answer.text();
  const session = answer.headers.get("mcp-session-id");
  if (session === null) throw new Error("the server opened no session");
  return session;
}

async function reconnect({ url, headers }: CredentialForm): Promise<void> {
  const client = await connectV1(url, { headers });
  expect(await client.callTool("test_reconnection")).toContain("Reconnection test completed");
  await client.close();
}

describe("sessions and resumption", () => {
  for (const at of [0, 1] as const) {
    it(`server-everything resumes a broken stream after Last-Event-ID, by ${formNames[at]}`, async () => {
      const form = formsOf(http)[at];
      const session = await openSession(form);
      const leave = new AbortController();
      const slow = { name: "trigger-long-running-operation", arguments: { duration: 0.6, steps: 3 } };
      const call = { ...slow, _meta: { progressToken: "t" } };
      const broken = await post(form, rpc(2, "tools/call", call), session, leave.signal);
      const first = await readEvents(broken).next();
      expect(first?.data).toContain('"progress":1');
      leave.abort();
      await pause(800);
      const resumed = await fetch(form.url, {
        headers: {
          ...form.headers,
          accept: "text/event-stream",
          "mcp-session-id": session,
          "last-event-id": first?.id ?? "",
        },
      });
      expect(resumed.status).toBe(200);
      const events = readEvents(resumed);
      const rest = [await events.next(), await events.next(), await events.next()].map(
        (event) => event?.data,
      );
      expect(rest).toEqual([
        expect.stringContaining('"progress":2'),
        expect.stringContaining('"progress":3'),
        expect.stringContaining("Long running operation completed"),
      ]);
      await events.cancel();
    });
  }

  it("the SDK reconnects by itself when the server closes the stream of a running call", async () => {
    // The server asks for 5 s before a client comes back.
    await Promise.all(formsOf(conforming).map(reconnect));
  });

  it("DELETE ends the session at the server, and its id is then unknown there", async () => {
    for (const form of formsOf(conforming)) {
      const before = fixture.openSessions();
      const session = await openSession(form);
      expect(fixture.openSessions()).toBe(before + 1);
      const headers = { ...form.headers, "mcp-session-id": session };
      const ended = await fetch(form.url, { method: "DELETE", headers });
      expect(ended.status).toBe(200);
      expect(fixture.openSessions()).toBe(before);
      const late = await post(form, rpc(3, "tools/list", {}), session);
      // 404 with a session id tells a client to initialize again: it must arrive as it is.
      expect(late.status).toBe(404);
      expect(await late.json()).toMatchObject({ error: { code: -32_001, message: "Session not found" } });
    }
  });
});

describe("x-mcp-header parameters (2026-07-28)", () => {
  it("the SDK mirrors an argument into Mcp-Param-*, and the server accepts it", async () => {
    for (const form of formsOf(conforming)) {
      const client = await connectV2(form.url, { headers: form.headers, era: "modern" });
      expect(await client.listTools()).toContain("test_x_mcp_header");
      // Latin letters and others: what is not visible ASCII travels Base64-wrapped in the header.
      for (const region of ["eu-west-1", "Zürich 北"]) {
        expect(await client.callTool("test_x_mcp_header", { region })).toBe(`region=${region}`);
      }
      await client.close();
    }
  });

  it("T61 a mirrored value that differs from the argument is refused by the server, not by the proxy", async () => {
    const [form] = formsOf(conforming);
    const meta = {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientInfo": { name: "bindify-test", version: "1.0.0" },
      "io.modelcontextprotocol/clientCapabilities": {},
    };
    const params = { name: "test_x_mcp_header", arguments: { region: "eu" }, _meta: meta };
    const call = (url: string, headers: Record<string, string>, region: string) =>
      fetch(url, {
        method: "POST",
        headers: {
          ...headers,
          "content-type": "application/json",
          accept: "application/json, text/event-stream",
          "mcp-protocol-version": "2026-07-28",
          "mcp-method": "tools/call",
          "mcp-name": "test_x_mcp_header",
          "mcp-param-region": region,
        },
        body: JSON.stringify({ jsonrpc: "2.0", id: 4, method: "tools/call", params }),
      });
    const direct = await call(fixture.url, { authorization: "Bearer fixture-key" }, "us");
    const through = await call(form.url, form.headers, "us");
    expect(through.status).toBe(400);
    const refused = await through.text();
    expect(refused).toContain("-32020");
    expect([direct.status, await direct.text()]).toEqual([through.status, refused]);
    expect((await call(form.url, form.headers, "eu")).status).toBe(200);
  });
});
