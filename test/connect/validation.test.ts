import { afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { z } from "zod";
import type { FaultCode } from "../../src/lib/fault.ts";
import { problemOf } from "../support/answers.ts";
import { apiServices } from "../support/api-services.ts";
import { countedEnv } from "../support/counting.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson, createdAnswer, type Person } from "../support/person.ts";
import { inventory } from "../support/storage.ts";
import { upstream } from "../support/upstream.ts";

const odd = inject("oddUrl");

const catalogue = apiServices(odd);
const ledger = countedEnv();
const instance = createInstance(ledger.env, (runtime) => ({ ...runtime, catalogue }));
let person: Person;
let before: unknown;

beforeAll(async () => {
  person = await createPerson(instance);
  await person.call("GET", "/api/me");
});

const attempt = async (service: string, key: string, url?: string) =>
  await person.call("POST", "/api/connections", {
    service,
    fields: { api_key: key },
    ...(url === undefined ? {} : { url }),
  });

const connect = async (service: string, more: object) =>
  await person.call("POST", "/api/connections", { service, fields: { api_key: "good-key" }, ...more });
const calledAt = async (secretUrl: string) => {
  const answer = await instance.fetch(new URL(secretUrl).pathname, { method: "GET" });
  return z.object({ result: z.object({ url: z.string() }) }).parse(await answer.json()).result.url;
};

/** But for the record that a key was not accepted. */
const stored = async () => ({ ...(await inventory(instance.env)), audit_queue: 0 });

describe("a key that is not accepted leaves nothing", () => {
  beforeEach(async () => {
    before = await stored();
    ledger.take();
  });

  afterEach(async () => {
    expect(await stored()).toEqual(before);
    expect(
      ledger.calls.filter(
        ({ operation, what }) =>
          /INSERT|UPDATE|DELETE|put/i.test(operation + what) && !/INTO (?:audit_queue|logins)/.test(what),
      ),
    ).toEqual([]);
  });

  const cases: readonly (readonly [string, () => Promise<Response>, FaultCode])[] = [
    ["a wrong key", async () => await attempt("custom", "bad-key", upstream().url), "key_rejected"],
    ["a wrong key, 403", async () => await attempt("custom", "k", `${odd}/status/403`), "key_rejected"],
    [
      "a server that answers HTML",
      async () => await attempt("custom", "k", `${odd}/html`),
      "not_an_mcp_server",
    ],
    [
      "a server that answers other JSON",
      async () => await attempt("custom", "k", `${odd}/status/200`),
      "not_an_mcp_server",
    ],
    [
      "an address where nothing is",
      async () => await attempt("custom", "k", `${odd}/status/404`),
      "not_an_mcp_server",
    ],
    ["T52 a redirect", async () => await attempt("custom", "k", `${odd}/redirect`), "not_an_mcp_server"],
    [
      "T55 an answer that unpacks to 20 MB",
      async () => await attempt("custom", "k", `${odd}/bomb`),
      "not_an_mcp_server",
    ],
    ["a server that fails", async () => await attempt("custom", "k", `${odd}/status/500`), "service_failing"],
    [
      "a server that is busy",
      async () => await attempt("custom", "k", `${odd}/status/429`),
      "service_failing",
    ],
    [
      "a closed port",
      async () => await attempt("custom", "k", "http://127.0.0.1:9/mcp"),
      "target_unreachable",
    ],
    [
      "a wrong key of an older server",
      async () => await attempt("custom", "bad-key", `${odd}/legacy`),
      "key_rejected",
    ],
    ["GraphQL: 200, and nobody", async () => await attempt("graphql", "bad-key"), "key_rejected"],
    ["REST: 403", async () => await attempt("rest", "bad-key"), "key_rejected"],
    ["an API that answers HTML", async () => await attempt("html", "k"), "key_rejected"],
    ["T55 an API whose answer unpacks to 20 MB", async () => await attempt("bomb", "k"), "key_rejected"],
  ];

  it.each(cases)("%s", async (_, request, code) => {
    const { detail } = await problemOf(await request(), code);
    expect(detail).not.toContain("bad-key");
  });

  it("T54 refused, internal and closed look alike", async () => {
    const details = new Set<string>();
    for (const url of [
      "https://10.0.0.1/mcp",
      "https://169.254.169.254/mcp",
      "https://db.internal/mcp",
      "https://127.0.0.1:8787/mcp",
      "http://127.0.0.1:9/mcp",
    ]) {
      const problem = await problemOf(await attempt("custom", "k", url), "target_unreachable");
      details.add(problem.detail.replace(new URL(url).host, "HOST"));
    }
    expect(details.size).toBe(1);
  });

  it("T53 our own address is refused, and nothing calls itself", async () => {
    for (const url of [
      "http://127.0.0.1:8787/mcp/custom",
      "http://localhost:8787/api/me",
      "http://[::1]:8787/",
    ]) {
      await problemOf(await attempt("custom", "k", url), "target_unreachable");
    }
  });
});

describe("a key that is accepted", () => {
  it.each([["graphql"], ["rest"]])("%s: by the service's own API", async (service) => {
    const { connection } = createdAnswer.parse(await (await attempt(service, "good-key")).json());
    expect(connection).toMatchObject({
      service,
      upstream_url: `${odd}/open/200`,
      status: "active",
      kind: "key",
      storage: "zero_knowledge",
    });
  });

  it("T3 the query of a person's own address is sealed, and asked for again with another key", async () => {
    const url = `${odd}/open/200?key=in-the-address`;
    const { connection } = createdAnswer.parse(await (await connect("custom", { url })).json());
    expect(connection.upstream_url).toBe(`${odd}/open/200?…`);
    const again = { reauthorize: connection.id };
    const signIn = { ...again, return_to: "http://127.0.0.1:9999/" };
    for (const answer of [
      await connect("custom", again),
      await person.call("POST", "/api/connections/authorize", signIn),
    ]) {
      expect((await problemOf(answer, "invalid_request")).errors).toMatchObject([{ path: "url" }]);
    }
    const other = await connect("custom", { ...again, url: `${url}-2` });
    const renewed = createdAnswer.parse(await other.json());
    expect(renewed.connection).toMatchObject({ id: connection.id, upstream_url: connection.upstream_url });
    expect(await calledAt(renewed.credential.secret_url)).toBe("/open/200?key=in-the-address-2");
  });

  it("what was chosen of a service's address stays with another key", async () => {
    const url = `${odd}/open/200?read_only=true`;
    const { connection } = createdAnswer.parse(await (await connect("rest", { url })).json());
    expect(connection.upstream_url).toBe(url);
    const renewed = createdAnswer.parse(await (await connect("rest", { reauthorize: connection.id })).json());
    expect(await calledAt(renewed.credential.secret_url)).toBe("/open/200?read_only=true");
  });

  it("the definition's extra headers go with every call", async () => {
    const { secretPath } = await person.connect({ service: "rest" });
    const text = await (await instance.fetch(secretPath, { method: "GET" })).text();
    expect(text).toMatch(/"x-extra","always"/i);
    expect(text).toContain("Bearer good-key");
  });

  it("an older server is recognised by its event stream", async () => {
    const connected = await person.connect({ url: `${odd}/legacy/sse` });
    await problemOf(await instance.fetch(connected.secretPath, { method: "POST" }), "method_not_allowed");
  });

  it("the session that the check began is ended", async () => {
    const service = upstream();
    await person.connect({ url: service.url });
    const requests = await service.requests();
    expect(requests.map(({ method }) => method)).toEqual(["POST"]);
    expect(requests[0]?.headers["authorization"]).toBe("Bearer good-key");
  });

  it("goes into the header that the person names", async () => {
    for (const [header, expected] of [
      [{ name: "X-Key" }, '"good-key"'],
      [{ name: "Authorization", prefix: "Token" }, '"Token good-key"'],
    ] as const) {
      const { secretPath } = await person.connect({ url: `${odd}/open/200`, header });
      expect(await (await instance.fetch(secretPath, { method: "GET" })).text()).toContain(expected);
    }
  });
});
