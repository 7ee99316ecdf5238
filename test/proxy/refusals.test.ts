import { beforeAll, describe, expect, it } from "vitest";
import { systemRandom } from "../../src/lib/random.ts";
import {
  formatApiKey,
  formatCredential,
  mintCredential,
  parseCredential,
} from "../../src/vault/credential.ts";
import { problemOf, rpcCall, rpcErrorOf, withHeaders } from "../support/answers.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson, type Connected, type Person } from "../support/person.ts";
import { upstream } from "../support/upstream.ts";

const instance = createInstance();
const service = upstream();
let person: Person;
let connected: Connected;
let ended: Connected;
let managed: Connected;

beforeAll(async () => {
  person = await createPerson(instance);
  connected = await person.connect({ url: service.url });
  managed = await person.connect({ url: service.url, storage: "managed" });
  ended = await person.connect({ url: service.url });
  await instance.fetch(ended.secretPath, rpcCall());
  await person.call("DELETE", `/api/connections/${ended.id}`);
  await service.forget();
});

interface Target {
  readonly service: string;
  readonly credential: string;
}

/** The credential with another second half. */
function wrongHalf({ credential }: Connected): string {
  return formatCredential({ id: credential.id, key: systemRandom(32) });
}

const targets: readonly (readonly [string, () => Target])[] = [
  ["unknown", () => ({ service: "custom", credential: formatCredential(mintCredential(systemRandom)) })],
  ["wrong second half", () => ({ service: "custom", credential: wrongHalf(connected) })],
  ["wrong second half, managed", () => ({ service: "custom", credential: wrongHalf(managed) })],
  ["wrong service", () => ({ service: "demo", credential: connected.text })],
  ["wrong service, managed", () => ({ service: "demo", credential: managed.text })],
  ["a service that does not exist", () => ({ service: "nosuch", credential: connected.text })],
  ["disconnected", () => ({ service: "custom", credential: ended.text })],
  ["disconnected and wrong second half", () => ({ service: "custom", credential: wrongHalf(ended) })],
];

const notification: RequestInit = {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: '{"jsonrpc":"2.0","method":"notifications/initialized"}',
};
const batch: RequestInit = {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: '[{"jsonrpc":"2.0","id":"a","method":"ping"},{"jsonrpc":"2.0","method":"n"},{"jsonrpc":"2.0","id":2,"method":"ping"}]',
};

const requests: readonly (readonly [string, RequestInit])[] = [
  ["POST with an id", rpcCall()],
  ["POST of a batch", batch],
  ["POST of a notification", notification],
  ["POST of no JSON", { ...notification, body: "{" }],
  ["POST without a body", { method: "POST" }],
  ["GET", { method: "GET", headers: { accept: "text/event-stream" } }],
  ["DELETE", { method: "DELETE", headers: { "mcp-session-id": "s" } }],
];

const forms = {
  "secret URL": ({ service: id, credential }: Target, init: RequestInit) =>
    [`/mcp/${id}/${credential}`, init] as const,
  "API key": ({ service: id, credential }: Target, init: RequestInit) => {
    const parsed = parseCredential(credential);
    if (parsed === undefined) throw new Error("not canonical");
    return [
      `/mcp/${id}`,
      withHeaders(init, { authorization: `Bearer ${formatApiKey(parsed, "test")}` }),
    ] as const;
  },
  "X-API-Key": ({ service: id, credential }: Target, init: RequestInit) => {
    const parsed = parseCredential(credential);
    if (parsed === undefined) throw new Error("not canonical");
    return [`/mcp/${id}`, withHeaders(init, { "x-api-key": formatApiKey(parsed, "test") })] as const;
  },
};

async function seen(response: Response): Promise<unknown> {
  return { status: response.status, headers: [...response.headers], body: await response.text() };
}

describe.each(Object.entries(forms))("%s", (_, address) => {
  it.each(requests)(
    "T20 %s: each kind of unknown gets the same status, body and headers",
    async (__, init) => {
      const answers = new Map<string, unknown>();
      for (const [name, target] of targets) {
        answers.set(name, await seen(await instance.fetch(...address(target(), init))));
      }
      const first = answers.get("unknown");
      for (const [name, answer] of answers) expect(answer, name).toEqual(first);
    },
  );
});

describe("what a refused client is told", () => {
  it("T20 nothing was sent to the service by any of it", async () => {
    expect(await service.requests()).toEqual([]);
  });

  it("a request with an id gets a JSON-RPC error with that id and a sentence that says where to go", async () => {
    for (const id of [7, "seven", 0, -1, 1.5, ""]) {
      const answer = await rpcErrorOf(
        await instance.fetch(ended.secretPath, rpcCall("tools/call", id)),
        "unknown_credential",
      );
      expect(answer.id).toBe(id);
      expect(answer.error.message).toContain(instance.env.ADMIN_URL);
      expect(JSON.stringify(answer)).not.toContain(ended.text);
    }
  });

  it("T67 a batch gets one error for each request in it, at most 100", async () => {
    const ids = async (count: number): Promise<unknown[]> => {
      const body = JSON.stringify(
        Array.from({ length: count }, (_, id) => ({ jsonrpc: "2.0", id, method: "ping" })),
      );
      const answer: unknown = await (await instance.fetch(ended.secretPath, { ...batch, body })).json();
      return Array.isArray(answer) ? answer : [];
    };
    expect(await ids(3)).toHaveLength(3);
    expect(await ids(500)).toHaveLength(100);
    const mixed: unknown = await (await instance.fetch(ended.secretPath, batch)).json();
    expect(mixed).toMatchObject([{ id: "a" }, { id: 2 }]);
  });

  it.each([
    ["a notification", notification],
    ["a GET", { method: "GET" }],
    ["a DELETE", { method: "DELETE" }],
    ["an answer of the client's", { ...notification, body: '{"jsonrpc":"2.0","id":1,"result":{}}' }],
    ["an id that is null", { ...notification, body: '{"jsonrpc":"2.0","id":null,"method":"ping"}' }],
    ["an id that is an object", { ...notification, body: '{"jsonrpc":"2.0","id":{},"method":"ping"}' }],
    [
      "more than is read for an id",
      {
        ...notification,
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping", params: "x".repeat(70_000) }),
      },
    ],
    ["30,000 nested lists", { ...notification, body: `${"[".repeat(30_000)}${"]".repeat(30_000)}` }],
  ])("T67 %s gets 404 with a problem document", async (_, init) => {
    await problemOf(await instance.fetch(ended.secretPath, init), "unknown_credential");
  });

  it("no credential at all is the one 401, and offers no authorization server", async () => {
    for (const init of [rpcCall(), { method: "GET" }, withHeaders(rpcCall(), { "x-api-key": " " })]) {
      const answer = await instance.fetch("/mcp/custom", init);
      await problemOf(answer, "missing_credential");
      expect(answer.headers.get("www-authenticate")).toBe("Bearer");
    }
  });

  it("either header is taken, the valid one where the other is something else", async () => {
    for (const headers of [
      { authorization: `bearer ${connected.apiKey}` },
      { "x-api-key": connected.apiKey },
      { authorization: "Bearer eyJhbGciOi.x.y", "x-api-key": connected.apiKey },
    ]) {
      expect((await instance.fetch("/mcp/custom", withHeaders(rpcCall(), headers))).status).toBe(200);
      expect((await service.requests()).at(-1)?.headers["authorization"]).toBe("Bearer good-key");
    }
  });
});
