import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { FaultCode } from "../../src/lib/fault.ts";
import { badBodies } from "../support/bad-bodies.ts";
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

/** Without the record of a key that the service refused, which is meant to stay. */
async function stored(): Promise<unknown> {
  return { ...(await inventory(instance.env)), audit_queue: 0 };
}

beforeEach(async () => {
  before = await stored();
});

afterEach(async () => {
  expect(await stored(), "nothing may be half-written").toEqual(before);
});

const good = { service: "custom", url: service.url, fields: { api_key: "good-key" } };
const bodies = badBodies(service.url);

describe("POST /api/connections", () => {
  it.for(bodies)("T67 refuses %s", async ([, body, code, path]) => {
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
    before = await stored();
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
