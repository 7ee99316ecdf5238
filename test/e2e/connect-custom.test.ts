import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { startDemoService, type DemoService } from "../../scripts/demo-service/demo-service.ts";
import { startInstance, type Instance } from "../support/node/instance.ts";
import { connectV2 } from "../support/node/mcp-clients.ts";
import { begin, connectByOauth, type Wanted } from "../support/node/sign-in.ts";

const publicUrl = "https://bindify.example";

let demo: DemoService;
/** On loopback, as `npm start` runs it. */
let local: Instance;
/** With a public https address, as far as others can tell. */
let open: Instance;
/** The address that client documents were fetched from. */
const documents: string[] = [];

beforeAll(async () => {
  demo = await startDemoService({
    port: 0,
    fetchClientDocument: async (url, init) => {
      documents.push(url);
      return await fetch(url.replace(publicUrl, open.url), init);
    },
  });
  const options = { demo: false, page: false } as const;
  local = await startInstance({ ...options, variables: { DEMO_SERVICE_URL: demo.url } });
  open = await startInstance({ ...options, entry: "test/support/public-worker.ts" });
});

afterAll(async () => {
  await Promise.all([local?.close(), open?.close()]);
  await demo?.close();
});

async function useNotes(url: string, text: string): Promise<string> {
  const client = await connectV2(url, { era: "modern" });
  await client.callTool("add_note", { text });
  const notes = await client.callTool("list_notes");
  await client.close();
  return notes;
}

async function clientIdOf(instance: Instance, wanted: Wanted, user?: string): Promise<string> {
  const begun = await begin(instance, wanted, user);
  return new URL(begun.authorization_url).searchParams.get("client_id") ?? "";
}

/** A client that somebody made by hand at the provider. */
async function ownClient(instance: Instance, method: string): Promise<{ id: string; secret?: string }> {
  const response = await fetch(`${demo.url}/reg`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      redirect_uris: [`${instance.url}/oauth/callback`],
      application_type: "native",
      token_endpoint_auth_method: method,
    }),
  });
  const made = z
    .object({ client_id: z.string(), client_secret: z.string().optional() })
    .parse(await response.json());
  return {
    id: made.client_id,
    ...(made.client_secret === undefined ? {} : { secret: made.client_secret }),
  };
}

describe("any MCP server by its address alone", () => {
  it("registers itself (DCR), and stays connected past the token's end", async () => {
    const { registrations } = demo.stats();
    const made = await connectByOauth(local, { service: "custom", url: demo.mcpUrl });
    expect(demo.stats().registrations).toBe(registrations + 1);
    expect(made.connection).toMatchObject({ service: "custom", label: new URL(demo.url).host });
    expect(await useNotes(made.secretUrl, "by registration")).toContain("by registration");
    demo.expireAccessTokens();
    expect(await useNotes(made.secretUrl, "later")).toContain("by registration");
  });

  it("shows its client document (CIMD) where the server takes it, and registers nothing", async () => {
    const { registrations } = demo.stats();
    const made = await connectByOauth(open, { service: "custom", url: demo.mcpUrl }, { name: "cimd" });
    expect(documents).toContain(`${publicUrl}/oauth/client.json`);
    expect(demo.stats().registrations).toBe(registrations);
    const address = made.secretUrl.replace(publicUrl, open.url);
    expect(await useNotes(address, "by document")).toContain("by document");
    demo.expireAccessTokens();
    expect(await useNotes(address, "renewed by document")).toContain("by document");
  });

  it("hosts no document on loopback, where no provider could fetch it", async () => {
    expect(await clientIdOf(local, { service: "custom", url: demo.mcpUrl })).not.toContain("client.json");
    expect(await clientIdOf(open, { service: "custom", url: demo.mcpUrl })).toBe(
      `${publicUrl}/oauth/client.json`,
    );
  });

  for (const method of ["none", "client_secret_basic"]) {
    it(`takes a client of the person's own (${method})`, async () => {
      const client = await ownClient(local, method);
      const wanted = { service: "custom", url: demo.mcpUrl, client };
      expect(await clientIdOf(local, wanted)).toBe(client.id);
      const made = await connectByOauth(local, wanted, { name: method });
      expect(await useNotes(made.secretUrl, "by an own client")).toContain("by an own client");
      demo.expireAccessTokens();
      expect(await useNotes(made.secretUrl, "renewed")).toContain("by an own client");
    });
  }

  it("T46 serves one workspace's own client to no other", async () => {
    const client = await ownClient(local, "client_secret_basic");
    const wanted = { service: "custom", url: demo.mcpUrl };
    await connectByOauth(local, { ...wanted, client }, { user: "ada" });
    expect(await clientIdOf(local, wanted, "ben")).not.toBe(client.id);
    expect(await clientIdOf(local, wanted, "ada")).not.toBe(client.id);
  });
});

describe("the operator's own client", () => {
  let configured: Instance;
  let client: { id: string; secret?: string };

  beforeAll(async () => {
    // Its redirect address is known only once it runs, so it is registered for whatever port comes (RFC 8252 §7.3).
    client = await ownClient({ ...local, url: "http://127.0.0.1:1" }, "client_secret_basic");
    configured = await startInstance({
      demo: false,
      page: false,
      variables: {
        DEMO_SERVICE_URL: demo.url,
        DEMO_CLIENT_ID: client.id,
        DEMO_CLIENT_SECRET: client.secret ?? "",
        CUSTOM_CLIENT_ID: "never-used",
      },
    });
  });

  afterAll(() => configured?.close());

  it("serves its catalogue service", async () => {
    const { registrations } = demo.stats();
    expect(await clientIdOf(configured, { service: "demo" })).toBe(client.id);
    const made = await connectByOauth(configured, { service: "demo" }, { name: "operator" });
    expect(await useNotes(made.secretUrl, "by the operator")).toContain("by the operator");
    demo.expireAccessTokens();
    expect(await useNotes(made.secretUrl, "renewed")).toContain("by the operator");
    expect(demo.stats().registrations).toBe(registrations);
  });

  it("T46 never serves a custom address that names the same authorization server", async () => {
    const id = await clientIdOf(configured, { service: "custom", url: demo.mcpUrl });
    expect([client.id, "never-used"]).not.toContain(id);
  });
});
