import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { FaultCode } from "../../src/lib/fault.ts";
import { problemOf } from "../support/answers.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson, type Person } from "../support/person.ts";
import { inventory } from "../support/storage.ts";
import { upstream } from "../support/upstream.ts";

const instance = createInstance();
const service = upstream();
let person: Person;
let before: unknown;

beforeAll(async () => {
  person = await createPerson(instance);
  await person.connect({ url: service.url });
});

beforeEach(async () => {
  before = await inventory(instance.env);
});

afterEach(async () => {
  expect(await inventory(instance.env), "nothing may be half-written").toEqual(before);
});

const good = { service: "custom", url: service.url, fields: { api_key: "good-key" } };
const json = (value: unknown) => JSON.stringify(value);

/** Name, body, code, the path of a field that the answer names. */
const bodies: readonly (readonly [string, string, FaultCode, string?])[] = [
  ["no body", "", "invalid_json"],
  ["half an object", '{"service":', "invalid_json"],
  ["a final comma", '{"service":"custom",}', "invalid_json"],
  ["two documents", `${json(good)}${json(good)}`, "invalid_json"],
  ["a byte-order mark", `\uFEFF${json(good)}`, "invalid_json"],
  ["null", "null", "invalid_request", ""],
  ["an array", json([good]), "invalid_request", ""],
  ["text", '"custom"', "invalid_request", ""],
  ["an empty object", "{}", "invalid_request", "service"],
  ["no fields", json({ service: "custom", url: service.url }), "invalid_request", "fields"],
  ["a number as service", json({ ...good, service: 5 }), "invalid_request", "service"],
  ["a list of fields", json({ ...good, fields: ["good-key"] }), "invalid_request", "fields"],
  ["a number as key", json({ ...good, fields: { api_key: 5 } }), "invalid_request", "fields.api_key"],
  ["null as key", json({ ...good, fields: { api_key: null } }), "invalid_request", "fields.api_key"],
  ["an empty key", json({ ...good, fields: { api_key: " " } }), "invalid_request", "fields.api_key"],
  [
    "a key of two lines",
    json({ ...good, fields: { api_key: "a\r\nX: b" } }),
    "invalid_request",
    "fields.api_key",
  ],
  [
    "a key that is too long",
    json({ ...good, fields: { api_key: "k".repeat(5000) } }),
    "invalid_request",
    "fields.api_key",
  ],
  [
    "an unknown key field",
    json({ ...good, fields: { api_key: "k", nope: "x" } }),
    "invalid_request",
    "fields.nope",
  ],
  [
    "a key, and does not mind a field called __proto__",
    `{"service":"custom","url":"${service.url}","fields":{"api_key":"k","__proto__":"x"}}`,
    "key_rejected",
  ],
  ["an unknown field", json({ ...good, admin: true }), "invalid_request", ""],
  ["an unknown storage", json({ ...good, storage: "plain" }), "invalid_request", "storage"],
  ["a header that is text", json({ ...good, header: "X-Key" }), "invalid_request", "header"],
  [
    "an unknown part of the header",
    json({ ...good, header: { name: "X-Key", value: "1" } }),
    "invalid_request",
    "header",
  ],
  [
    "a header name with a line break",
    json({ ...good, header: { name: "X\r\nY" } }),
    "invalid_request",
    "header.name",
  ],
  [
    "a header with another meaning",
    json({ ...good, header: { name: "Cookie" } }),
    "invalid_request",
    "header.name",
  ],
  [
    "another header for a service with its own",
    json({ service: "demo", fields: { api_key: "k" }, header: { name: "X-Key" } }),
    "invalid_request",
    "header",
  ],
  ["an unknown mode", json({ ...good, mode: "telepathy" }), "invalid_request", "mode"],
  ["an empty label", json({ ...good, label: "  " }), "invalid_request", "label"],
  ["a label that is too long", json({ ...good, label: "x".repeat(101) }), "invalid_request", "label"],
  ["a label of two lines", json({ ...good, label: "a\nb" }), "invalid_request", "label"],
  [
    "a label with half a character",
    `{"service":"custom","url":"${service.url}","fields":{"api_key":"k"},"label":"\\ud800"}`,
    "invalid_request",
    "label",
  ],
  [
    "no url where one is needed",
    json({ service: "custom", fields: { api_key: "k" } }),
    "invalid_request",
    "url",
  ],
  ["a url that is none", json({ ...good, url: "mcp.example.com" }), "invalid_request", "url"],
  [
    "a url with a password",
    json({ ...good, url: "https://me:secret@mcp.example.com/" }),
    "invalid_request",
    "url",
  ],
  ["a url without https", json({ ...good, url: "http://mcp.example.com/mcp" }), "invalid_request", "url"],
  [
    "a url that is too long",
    json({ ...good, url: `https://mcp.example.com/${"a".repeat(2048)}` }),
    "invalid_request",
    "url",
  ],
  [
    "another url for a service with its own",
    json({ service: "demo", url: "https://mcp.example.com/", fields: { api_key: "k" } }),
    "invalid_request",
    "url",
  ],
  ["an unknown service", json({ ...good, service: "nosuch" }), "unknown_service"],
  ["a service called like a property", json({ ...good, service: "__proto__" }), "unknown_service"],
  ["a service without keys", json({ service: "notion", fields: { api_key: "k" } }), "service_not_available"],
  ["30,000 nested lists", `${"[".repeat(30_000)}${"]".repeat(30_000)}`, "invalid_request", ""],
  [
    "10,000 nested objects in a field",
    `{"service":"custom","fields":${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}}`,
    "invalid_request",
    "fields.a",
  ],
  ["64 KiB and one byte", `"${"x".repeat(65_535)}"`, "payload_too_large"],
  ["a megabyte", `"${"x".repeat(1_048_576)}"`, "payload_too_large"],
];

describe("POST /api/connections", () => {
  it.each(bodies)("T67 refuses %s", async (_, body, code, path) => {
    const problem = await problemOf(
      await person.call("POST", "/api/connections", body, { "content-type": "application/json" }),
      code,
    );
    if (path !== undefined) expect(problem.errors?.map((error) => error.path)).toContain(path);
    expect(JSON.stringify(problem)).not.toContain("secret@");
  });

  it("names every wrong field at once", async () => {
    const answer = await person.call("POST", "/api/connections", {
      ...good,
      service: 1,
      label: 2,
      storage: 3,
    });
    const { errors } = await problemOf(answer, "invalid_request");
    expect(errors?.map((error) => error.path).toSorted()).toEqual(["label", "service", "storage"]);
  });

  it("refuses bytes that are not UTF-8", async () => {
    const answer = await instance.fetch("/api/connections", {
      method: "POST",
      headers: { authorization: `Bearer ${person.token}`, "content-type": "application/json" },
      body: new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]),
    });
    await problemOf(answer, "invalid_json");
  });

  it.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonp",
    "application/problem+json",
  ])("refuses the content type %s", async (type) => {
    await problemOf(
      await person.call("POST", "/api/connections", JSON.stringify(good), { "content-type": type }),
      "unsupported_media_type",
    );
  });

  it("refuses a body without a content type", async () => {
    const answer = await instance.fetch("/api/connections", {
      method: "POST",
      headers: { authorization: `Bearer ${person.token}` },
      body: new TextEncoder().encode(JSON.stringify(good)),
    });
    await problemOf(answer, "unsupported_media_type");
  });

  it("refuses managed storage where the deployment has no master key", async () => {
    const bare = createInstance({ MANAGED_ENCRYPTION_KEYS: "" });
    const other = await createPerson(bare, person.name);
    await problemOf(
      await other.call("POST", "/api/connections", { ...good, storage: "managed" }),
      "storage_not_configured",
    );
  });
});

describe("PATCH /api/connections/:id", () => {
  const changes: readonly (readonly [string, string, FaultCode])[] = [
    ["no label", "{}", "invalid_request"],
    ["an empty label", '{"label":" "}', "invalid_request"],
    ["a number", '{"label":1}', "invalid_request"],
    ["a column that is not theirs to change", '{"label":"a","status":"active"}', "invalid_request"],
    ["no JSON", "label=a", "invalid_json"],
  ];

  it.each(changes)("refuses %s and keeps the row", async (_, body, code) => {
    const { id } = await person.connect({ url: service.url, label: "as it was" });
    before = await inventory(instance.env);
    await problemOf(await person.call("PATCH", `/api/connections/${id}`, body), code);
    expect(await (await person.call("GET", `/api/connections/${id}`)).json()).toMatchObject({
      label: "as it was",
    });
  });
});

describe("GET /api/connections", () => {
  it.each([
    ["limit=0", "limit"],
    ["limit=101", "limit"],
    ["limit=many", "limit"],
    ["limit=1.5", "limit"],
    ["limit=", "limit"],
    ["limit=-1", "limit"],
    ["cursor=x", "cursor"],
    ["cursor=", "cursor"],
    ["cursor=1.con_XYZ", "cursor"],
    [`cursor=99999999999999999999.con_${"0".repeat(32)}`, "cursor"],
    ["page=2", ""],
  ])("refuses ?%s", async (query, path) => {
    const problem = await problemOf(await person.call("GET", `/api/connections?${query}`), "invalid_request");
    expect(problem.errors?.map((error) => error.path)).toContain(path);
  });
});
