import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { Runtime } from "../../src/http/context.ts";
import { toHex } from "../../src/lib/bytes.ts";
import { faults } from "../../src/lib/fault.ts";
import type { LogEvent } from "../../src/lib/log.ts";
import { OutboundError } from "../../src/lib/outbound.ts";
import { createOauthHttp } from "../../src/oauth/http.ts";
import { fuzz } from "../support/fuzz.ts";
import { naughty } from "../support/naughty.ts";
import { createInstance, type CallInit } from "../support/instance.ts";
import { createPerson, type Connected, type Person } from "../support/person.ts";
import { upstream } from "../support/upstream.ts";

const events: LogEvent[] = [];
const watched = (runtime: Runtime): Runtime => ({ ...runtime, log: (event) => void events.push(event) });
const instance = createInstance({}, watched);
const nowhere = async (): Promise<never> => {
  throw new OutboundError("unreachable");
};
/** No address that the fuzzer makes up is ever asked. */
const offline = createInstance({}, (runtime) => {
  return { ...watched(runtime), outbound: nowhere, oauth: createOauthHttp(nowhere) };
});

const service = upstream("/echo");
let person: Person;
let connected: Connected;
beforeAll(async () => {
  person = await createPerson(instance);
  connected = await person.connect({ url: upstream().url });
});

const problem = z.object({ status: z.number(), code: z.string(), detail: z.string().min(10) });

/** Whatever was sent: a known answer of ours, and nothing crashed. */
async function expectAnswer(answer: Response, verb = "POST"): Promise<void> {
  const text = await answer.text();
  const crashed = events
    .splice(0)
    .filter(({ event }) => event === "request_crashed" || event === "deferred_failed");
  expect(crashed).toEqual([]);
  expect(answer.status, text).not.toBe(500);
  // The answer to HEAD has no body.
  if (answer.status < 400 || (verb === "HEAD" && text === "")) return;
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  const { status, code } = problem.parse(JSON.parse(text));
  expect(status).toBe(answer.status);
  expect(Object.keys(faults)).toContain(code);
  expect(answer.headers.get("cache-control")).toBe("no-store");
}

const odd = fc.oneof(
  fc.constantFrom(...naughty.filter((text) => text.length < 200)),
  fc.string({ unit: "binary", maxLength: 40 }),
);
const segment = fc.oneof(
  fc.constantFrom(
    "api",
    "mcp",
    "oauth",
    "connections",
    "services",
    "custom",
    "demo",
    "callback",
    "client.json",
    "authorize",
    "complete",
    "credential",
    "healthz",
    "version",
    "me",
    "config",
    "sse",
    "messages",
    ".well-known",
    "..",
    ".",
    "",
    "%2f",
    "%00",
    "A".repeat(86),
  ),
  odd.map((text) => encodeURIComponent(text.toWellFormed())),
  fc.string({ maxLength: 20 }).map((text) => text.replaceAll(/[?#]/g, "")),
);
const path = fc
  .tuple(fc.array(segment, { maxLength: 6 }), fc.webQueryParameters({ size: "small" }))
  .map(([segments, query]) => `/${segments.join("/")}${query === "" ? "" : `?${query}`}`);
const method = fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD");
const headerName = fc.constantFrom(
  "authorization",
  "x-api-key",
  "origin",
  "content-type",
  "accept",
  "mcp-protocol-version",
  "mcp-session-id",
  "mcp-name",
  "content-length",
  "cookie",
  "x-forwarded-for",
  "bindify-credential",
  "last-event-id",
  "access-control-request-method",
  "range",
);
const headerValue = fc.oneof(
  fc.string({ maxLength: 60 }).map((text) => text.trim()),
  fc.constantFrom(
    "Bearer",
    "Bearer x",
    "Bearer bnd_test_x",
    "application/json",
    "text/event-stream",
    "null",
    "*",
    "https://evil.example",
    "-1",
  ),
);
const headers = fc.dictionary(headerName, headerValue, { maxKeys: 5 });
const body = fc.oneof(fc.json(), fc.string({ maxLength: 200 }), fc.string({ unit: "binary", maxLength: 60 }));

const tokenPart = (own: string) =>
  fc.oneof(
    fc.constant(own),
    fc.base64String({ maxLength: 60 }),
    fc.json().map((text) => btoa(encodeURIComponent(text))),
  );

function requestOf(verb: string, given: Record<string, string>, text: string): CallInit {
  const withBody = verb !== "GET" && verb !== "HEAD";
  // A request object refuses a length that is not the body's.
  const { "content-length": _, ...rest } = given;
  return { method: verb, headers: rest, ...(withBody ? { body: text } : {}) };
}

describe("any request", () => {
  it("to any path, with any headers and body, has an answer of ours", async () => {
    const property = fc.asyncProperty(path, method, headers, body, async (target, verb, given, text) => {
      await expectAnswer(await instance.fetch(target, requestOf(verb, given, text)), verb);
    });
    await fc.assert(property, fuzz(600));
  });

  it("of a person signed in, with any JSON, has an answer of ours", async () => {
    const field = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      odd,
      fc.constantFrom("custom", "demo", "linear", "managed", "zero_knowledge"),
    );
    const names = [
      "service",
      "url",
      "mode",
      "fields",
      "header",
      "storage",
      "label",
      "reauthorize",
      "credential",
      "client",
      "return_to",
      "state",
      "code",
      "iss",
      "error",
      "error_description",
      "__proto__",
    ] as const;
    const json = fc.oneof(fc.dictionary(fc.constantFrom(...names), field, { maxKeys: 6 }), fc.jsonValue());
    const target = fc.constantFrom(
      "/api/connections",
      "/api/connections/authorize",
      "/api/connections/complete",
      `/api/connections/con_${"0".repeat(32)}`,
      `/api/connections/con_${"0".repeat(32)}/credential`,
    );
    const property = fc.asyncProperty(
      target,
      fc.constantFrom("POST", "PATCH"),
      json,
      async (where, verb, value) => {
        const init = { authorization: `Bearer ${person.token}`, "content-type": "application/json" };
        await expectAnswer(
          await offline.fetch(where, { method: verb, headers: init, body: JSON.stringify(value) ?? "" }),
        );
      },
    );
    await fc.assert(property, fuzz(300, 5000));
  });

  it("with any token is 401, and nothing crashes", async () => {
    const [head = "", claims = "", signature = ""] = person.token.split(".");
    const token = fc
      .tuple(tokenPart(head), tokenPart(claims), tokenPart(signature))
      .map((parts) => parts.join("."))
      .filter((text) => text !== person.token);
    const property = fc.asyncProperty(token, async (text) => {
      const answer = await offline.fetch("/api/me", { headers: { authorization: `Bearer ${text}` } });
      expect(answer.status).toBe(401);
      await expectAnswer(answer);
    });
    await fc.assert(property, fuzz(200));
  });
});

describe("a proxied call", () => {
  it("T61 carries any body and any Mcp- header to the service as they are", async () => {
    const mcp = fc.dictionary(
      fc.constantFrom("mcp-session-id", "mcp-name", "mcp-protocol-version", "mcp-method"),
      fc
        .string({ minLength: 1, maxLength: 80 })
        .map((text) => text.trim())
        .filter((text) => text !== ""),
      { maxKeys: 3 },
    );
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 2000 }).map((value) => new Uint8Array(value));
    const property = fc.asyncProperty(mcp, bytes, async (given, content) => {
      const init = {
        "content-type": "application/json",
        "mcp-param-behave": new URL(service.url).pathname,
        ...given,
      };
      const answer = await instance.fetch(connected.secretPath, {
        method: "POST",
        headers: init,
        body: content,
      });
      expect(answer.status).toBe(200);
      const echoed = z
        .object({ rawHeaders: z.array(z.string()), length: z.number(), sha256: z.string() })
        .parse(await answer.json());
      expect(echoed.length).toBe(content.length);
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
      expect(echoed.sha256).toBe(toHex(digest));
      for (const [name, value] of Object.entries(given)) {
        const at = echoed.rawHeaders.findIndex((one, index) => index % 2 === 0 && one.toLowerCase() === name);
        expect(echoed.rawHeaders[at + 1]).toBe(value);
      }
    });
    await fc.assert(property, fuzz(40, 5000));
  });
});
