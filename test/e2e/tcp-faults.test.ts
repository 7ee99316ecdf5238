import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createProvider, setRoutes, tokenAnswer, type Provider } from "../support/provider.ts";
import { type EchoUpstream, startEchoUpstream } from "../support/node/echo-upstream.ts";
import { type HostileServer, startHostileServer } from "../support/node/hostile-server.ts";
import { type Connected, type Instance, startInstance } from "../support/node/instance.ts";
import { startTcpFaults, type TcpFault, type TcpFaults } from "../support/node/tcp-faults.ts";

const limits = { UPSTREAM_TIMEOUT_SECONDS: "4", RESPONSE_TIMEOUT_SECONDS: "5" };

let instance: Instance;
let upstream: EchoUpstream;
let hostile: HostileServer;
let network: TcpFaults;
const networks: TcpFaults[] = [];
let connected: Connected;

beforeAll(async () => {
  [instance, upstream, hostile] = await Promise.all([
    startInstance({ demo: false, page: false, variables: limits }),
    startEchoUpstream(),
    startHostileServer(),
  ]);
  network = await startTcpFaults(upstream.url);
  connected = await instance.connect({ url: `${network.url}/mcp`, key: "good-key" });
});
afterAll(async () => {
  await Promise.all([instance?.close(), network?.close(), ...networks.map((own) => own.close())]);
  await Promise.all([upstream?.close(), hostile?.close()]);
});

interface Seen {
  readonly status: number;
  readonly text: string;
  readonly ms: number;
}

async function call(url: string, headers: Record<string, string> = {}): Promise<Seen> {
  const began = performance.now();
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ jsonrpc: "2.0", id: 7, method: "tools/list" }),
    signal: AbortSignal.timeout(50_000),
  });
  return { status: response.status, text: await response.text(), ms: performance.now() - began };
}

/** The code of a refusal, as JSON-RPC tells it; undefined for anything else. */
function codeOf({ text }: Seen): string | undefined {
  const refusal = z.object({ id: z.literal(7), error: z.object({ data: z.object({ code: z.string() }) }) });
  try {
    return refusal.parse(JSON.parse(text)).error.data.code;
  } catch {
    return undefined;
  }
}

const works = async (url: string): Promise<void> => expect((await call(url)).text).toContain('"result"');

describe("T68 the network to the service", () => {
  it.each<readonly [string, TcpFault, string]>([
    ["refuses", { kind: "refuse" }, "upstream_unreachable"],
    ["resets at once", { kind: "reset", bytes: 0 }, "upstream_unreachable"],
    ["resets within the headers", { kind: "reset", bytes: 20 }, "upstream_unreachable"],
    ["ends within the headers", { kind: "cut", bytes: 20 }, "upstream_unreachable"],
    ["swallows everything", { kind: "blackhole" }, "upstream_timeout"],
    ["drips the headers", { kind: "drip", bytes: 1, every: 200 }, "upstream_timeout"],
  ])("%s: a sentence within the limit, and the next call works", async (_, fault, code) => {
    await network.set(fault);
    const seen = await call(connected.secretUrl);
    expect(codeOf(seen), seen.text).toBe(code);
    expect(seen.ms).toBeLessThan(20_000);
    await network.set({ kind: "none" });
    await works(connected.secretUrl);
  });

  it.each<readonly [string, TcpFault]>([
    ["is slow", { kind: "latency", ms: 300 }],
    ["drips fast enough", { kind: "drip", bytes: 60, every: 20 }],
  ])("%s: the whole answer", async (_, fault) => {
    await network.set(fault);
    await works(connected.secretUrl);
    await network.set({ kind: "none" });
  });

  it.each<readonly [string, TcpFault]>([
    ["resets within the body", { kind: "reset", bytes: 60_000 }],
    ["ends within the body", { kind: "cut", bytes: 60_000 }],
    ["drips the body", { kind: "drip", bytes: 4000, every: 400 }],
  ])("%s: the client is not left hanging", async (_, fault) => {
    await network.set(fault);
    const began = performance.now();
    const partial = call(connected.secretUrl, { "mcp-param-behave": "/large?mb=1&chunked" }).then(
      ({ text }) => text.length,
      () => "broken off",
    );
    const length = await partial;
    expect(typeof length === "string" || length < 1024 * 1024).toBe(true);
    expect(performance.now() - began).toBeLessThan(20_000);
    await network.set({ kind: "none" });
    await works(connected.secretUrl);
  });
});

/** A provider whose token endpoint alone lies behind a network of its own. */
async function provider(expiresIn: number): Promise<Provider & { readonly network: TcpFaults }> {
  const made = await createProvider(hostile.url);
  const own = await startTcpFaults(hostile.url);
  networks.push(own);
  await setRoutes(hostile.url, {
    [`GET /.well-known/oauth-authorization-server/${made.id}`]: {
      json: {
        issuer: made.issuer,
        authorization_endpoint: `${made.issuer}/authorize`,
        token_endpoint: `${own.url}/${made.id}/token`,
        registration_endpoint: `${made.issuer}/register`,
        revocation_endpoint: `${made.issuer}/revoke`,
        code_challenge_methods_supported: ["S256"],
        token_endpoint_auth_methods_supported: ["none"],
        authorization_response_iss_parameter_supported: true,
      },
    },
    [`POST /${made.id}/token`]: { json: tokenAnswer(made.id, { expires_in: expiresIn }) },
  });
  return { ...made, network: own };
}

const begunSchema = z.object({ state: z.string() });
const finishedSchema = z.object({
  connection: z.object({ id: z.string() }),
  credential: z.object({ secret_url: z.string() }),
});

async function begin({ mcpUrl }: Provider): Promise<string> {
  const { body } = await instance.api("POST", "/api/connections/authorize", {
    service: "custom",
    url: mcpUrl,
  });
  return begunSchema.parse(body).state;
}

const finish = async (state: string, { id, issuer }: Provider) =>
  await instance.api("POST", "/api/connections/complete", { state, code: `code-${id}`, iss: issuer });

/** Signed in with a token that has just expired. */
async function expired(own: Provider): Promise<{ id: string; secretUrl: string }> {
  const { connection, credential } = finishedSchema.parse((await finish(await begin(own), own)).body);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  return { id: connection.id, secretUrl: credential.secret_url };
}

const tokenFaults: readonly TcpFault[] = [
  { kind: "refuse" },
  { kind: "reset", bytes: 0 },
  { kind: "reset", bytes: 200 },
  { kind: "cut", bytes: 200 },
  { kind: "drip", bytes: 1, every: 300 },
  { kind: "blackhole" },
];

// A request to an authorization server may take 15 s, and a call waits 20 s for a token before its last try: these
// wait for time to pass, so they do it together.
describe.concurrent("every fault of the network", () => {
  it("T74 to the token endpoint: signing in says so within the limit", async () => {
    await Promise.all(
      tokenFaults.map(async (fault) => {
        const own = await provider(3600);
        const state = await begin(own);
        await own.network.set(fault);
        const began = performance.now();
        const { status, body } = await finish(state, own);
        expect({ fault, status, body }).toMatchObject({ status: 502, body: { code: "sign_in_unfinished" } });
        expect(performance.now() - began).toBeLessThan(30_000);
      }),
    );
  });

  it("T74 to the token endpoint: a renewal is delayed, and the grant lives on", async () => {
    await Promise.all(
      tokenFaults.map(async (fault) => {
        const own = await provider(1);
        const { id, secretUrl } = await expired(own);
        await own.network.set(fault);
        const seen = await call(secretUrl);
        expect(codeOf(seen), `${fault.kind}: ${seen.text}`).toBe("refresh_delayed");
        expect(seen.ms).toBeLessThan(40_000);
        await own.network.set({ kind: "none" });
        const state = await instance.database
          .prepare("SELECT state FROM connections WHERE id = ?1")
          .bind(id)
          .first("state");
        expect(state).not.toBe("reauth");
        await works(secretUrl);
      }),
    );
  });

  it("that is only slow: signed in, and renewed", async () => {
    const own = await provider(1);
    await own.network.set({ kind: "latency", ms: 400 });
    await works((await expired(own)).secretUrl);
  });

  it("T54 to the service while it is connected: a problem within the limit, and nothing is stored", async () => {
    const faults: readonly TcpFault[] = [
      { kind: "refuse" },
      { kind: "reset", bytes: 0 },
      { kind: "reset", bytes: 20 },
      { kind: "cut", bytes: 30 },
      { kind: "blackhole" },
    ];
    await Promise.all(
      faults.map(async (fault, at) => {
        const own = await startTcpFaults(upstream.url);
        networks.push(own);
        await own.set(fault);
        const began = performance.now();
        const wanted = { service: "custom", url: `${own.url}/mcp`, fields: { api_key: "good-key" } };
        const { status, body } = await instance.api("POST", "/api/connections", wanted, `nobody-${at}`);
        expect(status, JSON.stringify(body)).toBeGreaterThanOrEqual(400);
        expect(z.object({ code: z.string() }).parse(body).code).toBe("target_unreachable");
        expect(performance.now() - began, fault.kind).toBeLessThan(30_000);
        const { body: list } = await instance.api("GET", "/api/connections", undefined, `nobody-${at}`);
        expect(list).toMatchObject({ connections: [] });
      }),
    );
  });
});
