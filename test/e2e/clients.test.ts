import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formsOf } from "../support/node/credential-forms.ts";
import { type Connected, type Instance, startInstance } from "../support/node/instance.ts";
import { type ConnectedClient, connectV1, connectV2 } from "../support/node/mcp-clients.ts";
import { connectMcpRemote } from "../support/node/mcp-remote.ts";
import { runCli, scripts } from "../support/node/run-cli.ts";

const tools = ["add_note", "list_notes", "search_notes", "count_slowly"];
const demoKey = "demo-notes-key";

let instance: Instance;
let connected: Connected;

beforeAll(async () => {
  instance = await startInstance({ page: false });
  connected = await instance.connect({ service: "demo", key: demoKey });
});
afterAll(() => instance?.close());

type Connect = (url: string, headers: Record<string, string>) => Promise<ConnectedClient>;

const sdks: Record<string, Connect> = {
  "SDK v1": (url, headers) => connectV1(url, { headers }),
  "SDK v2, 2025-11-25": (url, headers) => connectV2(url, { headers, era: "legacy" }),
  "SDK v2, probing": (url, headers) => connectV2(url, { headers, era: "auto" }),
  "SDK v2, 2026-07-28": (url, headers) => connectV2(url, { headers, era: "modern" }),
};

/** The names of the forms, for the names of tests: the credential itself exists only when they run. */
const forms = [0, 1] as const;
const formNames = ["secret URL", "API key"] as const;

describe("the official SDKs", () => {
  for (const [name, connect] of Object.entries(sdks)) {
    for (const at of forms) {
      it(`${name} lists and calls tools by ${formNames[at]}`, async () => {
        const form = formsOf(connected)[at];
        const client = await connect(form.url, form.headers);
        expect(await client.listTools()).toEqual(tools);
        const note = `${name} by ${form.name}`;
        expect(await client.callTool("add_note", { text: note })).toContain(note);
        const steps: number[] = [];
        const input = { to: 3, pause_ms: 20 };
        expect(await client.callTool("count_slowly", input, (step) => steps.push(step))).toBe(
          "Counted to 3.",
        );
        expect(steps).toEqual([1, 2, 3]);
        await client.close();
      });
    }
  }

  it("the key may come as X-API-Key", async () => {
    const client = await connectV1(connected.mcpUrl, { headers: { "X-API-Key": connected.apiKey } });
    expect(await client.listTools()).toEqual(tools);
    await client.close();
  });

  it("a connection in managed storage serves in the same way", async () => {
    const managed = await instance.connect({ service: "demo", key: demoKey, storage: "managed" });
    for (const form of formsOf(managed)) {
      const client = await connectV2(form.url, { headers: form.headers, era: "auto" });
      expect(await client.listTools()).toEqual(tools);
      await client.close();
    }
  });

  it("goes on from KV when the row has given up its copy of the sealed key", async () => {
    const moved = await instance.connect({ service: "demo", key: demoKey });
    const prefix = `t/${moved.connection.id}/`;
    await expect.poll(async () => (await instance.blobs.list({ prefix })).keys).toHaveLength(1);
    await instance.database
      .prepare("UPDATE connections SET blob = NULL WHERE id = ?1")
      .bind(moved.connection.id)
      .run();
    const client = await connectV1(moved.secretUrl);
    expect(await client.listTools()).toEqual(tools);
    await client.close();
  });
});

describe("mcp-remote", () => {
  for (const at of forms) {
    it(`lists and calls tools by ${formNames[at]}`, async () => {
      const { url, headers } = formsOf(connected)[at];
      const { Authorization: authorization } = headers;
      const bridge = await connectMcpRemote(url, {
        folder: instance.folder,
        ...(authorization !== undefined && { authorization }),
      });
      const listed = await bridge.client.listTools();
      expect(listed.tools.map((tool) => tool.name)).toEqual(tools);
      const called = await bridge.client.callTool({
        name: "add_note",
        arguments: { text: "by mcp-remote" },
      });
      expect(JSON.stringify(called)).toContain("by mcp-remote");
      await bridge.close();
    });
  }
});

async function inspect(at: 0 | 1, era: string, ...args: string[]): Promise<unknown> {
  const { url, headers } = formsOf(connected)[at];
  const header = Object.entries(headers).flatMap(([name, value]) => ["--header", `${name}: ${value}`]);
  const { code, stdout, stderr } = await runCli(
    scripts.inspector,
    ["--cli", "--server-url", url, ...header, "--transport", "http", "--protocol-era", era]
      .concat("--format", "json")
      .concat(args),
    { env: { HOME: instance.folder } },
  );
  expect(stderr).toBe("");
  expect(code).toBe(0);
  return JSON.parse(stdout);
}

describe("the inspector's command line", () => {
  for (const at of forms) {
    for (const era of ["legacy", "auto", "modern"]) {
      it(`lists and calls tools by ${formNames[at]}, era ${era}`, async () => {
        const named = tools.map((name): unknown => expect.objectContaining({ name }));
        expect(await inspect(at, era, "--method", "tools/list")).toMatchObject({ result: { tools: named } });
        const call = ["--method", "tools/call", "--tool-name", "add_note", "--tool-arg", "text=inspected"];
        expect(JSON.stringify(await inspect(at, era, ...call))).toContain("inspected");
      });
    }
  }
});
