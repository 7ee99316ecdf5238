import { describe, expect, it } from "vitest";
import { problemOf } from "../support/answers.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson } from "../support/person.ts";
import { inventory } from "../support/storage.ts";
import { localClaims, signLocal } from "../support/tokens.ts";

const instance = createInstance();

describe("addresses", () => {
  it.each([
    "/",
    "/nope",
    "/api",
    "/api/",
    "/api/nope",
    "/api/connections/a/b",
    "/API/connections",
    "/api/connections/",
    "/healthz/x",
    "/docs/x",
  ])("%s is a plain 404 where it is not known", async (path) => {
    const problem = await problemOf(await instance.fetch(path), "not_found");
    expect(JSON.stringify(problem)).not.toContain(path === "/" ? "127.0.0.1" : path);
  });

  it.each([
    ["PUT", "/api/connections", ["GET", "POST"]],
    ["DELETE", "/api/connections", ["GET", "POST"]],
    ["POST", "/api/connections/con_1", ["DELETE", "GET", "PATCH"]],
    ["POST", "/api/services", ["GET"]],
    ["PATCH", "/api/services/linear", ["GET"]],
    ["DELETE", "/api/me", ["GET"]],
    ["POST", "/api/config", ["GET"]],
    ["GET", "/api/billing/checkout", ["POST"]],
    ["GET", "/webhooks/stripe", ["POST"]],
    ["POST", "/healthz", ["GET"]],
    ["DELETE", "/version", ["GET"]],
  ])("%s %s is 405 and says what is allowed", async (method, path, allowed) => {
    const answer = await instance.fetch(path, { method });
    const { detail } = await problemOf(answer, "method_not_allowed");
    const allow = (answer.headers.get("allow") ?? "")
      .split(", ")
      .filter((name) => name !== "HEAD" && name !== "OPTIONS");
    expect(allow.toSorted()).toEqual(allowed);
    for (const name of allowed) expect(detail).toContain(name);
  });

  it.each(["PUT", "PATCH", "OPTIONS", "HEAD"])("%s at an MCP address is 405", async (method) => {
    const answer = await instance.fetch("/mcp/custom", { method });
    expect(answer.status).toBe(405);
    expect(answer.headers.get("allow")).toBe("POST, GET, DELETE");
  });

  it("tells monitors that it lives, and its version, without touching storage", async () => {
    expect(await (await instance.fetch("/healthz")).json()).toEqual({ status: "ok" });
    expect(await (await instance.fetch("/version")).json()).toMatchObject({
      name: "bindify",
      commit: null,
      bundle_sha256: null,
    });
  });

  it("repeats the commit and the hash that it was deployed with, and takes nothing else for one", async () => {
    const [commit, hash] = ["0123456789abcdef0123456789abcdef01234567", "ab".repeat(32)];
    const told = createInstance({ COMMIT: commit, BUNDLE_HASH: hash });
    expect(await (await told.fetch("/version")).json()).toMatchObject({ commit, bundle_sha256: hash });
    for (const changes of [
      { COMMIT: "main" },
      { BUNDLE_HASH: "<b>" },
      { ALLOWED_ADDRESSES: "10.0.0.0/99" },
    ]) {
      const { detail } = await problemOf(await createInstance(changes).fetch("/version"), "misconfigured");
      expect(detail).toContain(Object.keys(changes)[0]);
    }
  });

  it("shows the catalogue and the configuration to anyone, without a secret", async () => {
    const answer = await instance.fetch("/api/services");
    const text = await answer.text();
    expect(text).toContain('"id":"custom"');
    expect(await (await instance.fetch("/api/services/demo")).json()).toMatchObject({
      id: "demo",
      available: true,
    });
    await problemOf(await instance.fetch("/api/services/nosuch"), "unknown_service");
    const config = await (await instance.fetch("/api/config")).text();
    expect(JSON.parse(config)).toMatchObject({ brand_name: "Bindify", identity: { kind: "local" } });
    for (const secret of [instance.env.MANAGED_ENCRYPTION_KEYS, instance.env.LOCAL_IDENTITY_KEY]) {
      expect(text + config).not.toContain(secret.slice(10, 40));
    }
  });
});

const expired = async () =>
  await signLocal({ ...localClaims("late"), exp: Math.floor(Date.now() / 1000) - 60 });

describe("signing in", () => {
  it.each([
    ["no header", async () => undefined],
    ["Basic", async () => "Basic b3duZXI6b3duZXI="],
    ["an empty token", async () => "Bearer "],
    ["garbage", async () => "Bearer x.y.z"],
    ["two tokens", async () => `Bearer ${await expired()} ${await expired()}`],
    ["an expired token", async () => `Bearer ${await expired()}`],
    [
      "a token for someone else",
      async () => `Bearer ${await signLocal({ ...localClaims("a"), aud: "https://other.example" })}`,
    ],
  ])("T80 %s is 401 on every route, and leaves nothing", async (_, header) => {
    const before = await inventory(instance.env);
    const authorization = await header();
    const headers = {
      "content-type": "application/json",
      ...(authorization === undefined ? {} : { authorization }),
    };
    for (const [method, path] of [
      ["GET", "/api/me"],
      ["GET", "/api/connections"],
      ["POST", "/api/connections"],
      ["GET", "/api/connections/con_1"],
      ["PATCH", "/api/connections/con_1"],
      ["DELETE", "/api/connections/con_1"],
    ]) {
      const answer = await instance.fetch(path ?? "", { method: method ?? "", headers });
      await problemOf(answer, "unauthenticated");
      expect(answer.headers.get("www-authenticate")).toBe("Bearer");
    }
    expect(await inventory(instance.env)).toEqual(before);
  });

  it("a cookie signs nobody in", async () => {
    const { token } = await createPerson(instance);
    await problemOf(
      await instance.fetch("/api/me", {
        headers: { cookie: `token=${token}; authorization=Bearer ${token}` },
      }),
      "unauthenticated",
    );
  });

  it("a person is made on first sight, with a workspace of their own", async () => {
    const person = await createPerson(instance);
    const me = await (await person.call("GET", "/api/me")).json();
    expect(me).toMatchObject({
      email: `${person.name}@localhost`,
      identity: "local",
      storage_modes: ["zero_knowledge", "managed"],
    });
    expect(await (await person.call("GET", "/api/me")).json()).toEqual(me);
  });

  it("their address follows the identity provider's, and stays where a token says none", async () => {
    const person = await createPerson(instance);
    await person.call("GET", "/api/me");
    const emailOf = async (claims: object): Promise<unknown> => {
      const token = await signLocal({ ...localClaims(person.name), ...claims });
      const answer = await instance.fetch("/api/me", { headers: { authorization: `Bearer ${token}` } });
      return (await answer.json<{ email: unknown }>()).email;
    };
    expect(await emailOf({ email: "new@b.example" })).toBe("new@b.example");
    expect(await emailOf({ email: "another@b.example", email_verified: false })).toBe("new@b.example");
    expect(await emailOf({ email: undefined })).toBe("new@b.example");
  });
});
