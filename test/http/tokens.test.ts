import { describe, expect, it } from "vitest";
import { z } from "zod";
import { problemOf } from "../support/answers.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson, type Person } from "../support/person.ts";
import { dump, edit } from "../support/storage.ts";
import { upstream } from "../support/upstream.ts";

const instance = createInstance();
const created = z.object({ token: z.object({ id: z.string(), prefix: z.string() }), secret: z.string() });
const list = z.object({
  tokens: z.array(z.looseObject({ id: z.string(), last_used_at: z.string().nullable() })),
});

async function make(person: Person, scope: "read" | "manage", more: object = {}) {
  const answer = await person.call("POST", "/api/tokens", { name: "CI", scope, ...more });
  expect(answer.status).toBe(201);
  const { token, secret } = created.parse(await answer.json());
  const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    await instance.fetch(path, {
      method,
      headers: { authorization: `Bearer ${secret}`, "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  return { ...token, secret, call };
}

describe("API tokens", () => {
  it("are shown once, kept as a hash, and listed by their beginning", async () => {
    const person = await createPerson(instance);
    const token = await make(person, "read", { expires_in_days: 30 });
    expect(token.secret).toMatch(/^bnt_test_[\w-]{43}$/);
    expect(token.secret.startsWith(token.prefix)).toBe(true);
    const text = await (await person.call("GET", "/api/tokens")).text();
    expect(list.parse(JSON.parse(text)).tokens).toMatchObject([
      { id: token.id, name: "CI", scope: "read", last_used_at: null, expired: false },
    ]);
    expect(text).not.toContain(token.secret.slice(20));
    expect(JSON.stringify(await dump(instance.env))).not.toContain(token.secret.slice(20));
    await token.call("GET", "/api/me");
    const { tokens } = list.parse(await (await person.call("GET", "/api/tokens")).json());
    expect(tokens[0]?.last_used_at).not.toBeNull();
  });

  it("of scope read read everything and change nothing", async () => {
    const person = await createPerson(instance);
    const { id } = await person.connect({ url: upstream().url });
    const token = await make(person, "read");
    for (const path of [
      "/api/me",
      "/api/connections",
      `/api/connections/${id}`,
      "/api/events",
      "/api/tokens",
    ]) {
      expect((await token.call("GET", path)).status).toBe(200);
    }
    expect(await (await token.call("GET", "/api/me")).json()).toMatchObject({ access: "read", name: null });
    for (const [method, path, body] of [
      ["POST", "/api/connections", { service: "custom", fields: {} }],
      ["POST", "/api/connections/authorize", {}],
      ["POST", "/api/connections/complete", {}],
      ["PATCH", `/api/connections/${id}`, { label: "x" }],
      ["DELETE", `/api/connections/${id}`, undefined],
      ["POST", `/api/connections/${id}/credential`, {}],
      ["DELETE", `/api/tokens/${token.id}`, undefined],
    ] as const) {
      await problemOf(await token.call(method, path, body), "token_scope");
    }
  });

  it("of scope manage do what the page does, but make no token and delete no account", async () => {
    const person = await createPerson(instance);
    const token = await make(person, "manage");
    const body = { service: "custom", url: upstream().url, fields: { api_key: "good-key" } };
    const answer = await token.call("POST", "/api/connections", body);
    expect(answer.status).toBe(201);
    const events = await (await person.call("GET", "/api/events?type=connection_created")).text();
    expect(events).toContain(`"actor":"${token.id}"`);
    await problemOf(await token.call("POST", "/api/tokens", { name: "x", scope: "read" }), "owner_only");
    await problemOf(
      await token.call("DELETE", "/api/account", { confirm: "delete my account" }),
      "owner_only",
    );
    const other = await make(person, "read");
    await problemOf(await token.call("DELETE", `/api/tokens/${other.id}`), "owner_only");
    expect((await token.call("DELETE", `/api/tokens/${token.id}`)).status).toBe(200);
    await problemOf(await token.call("GET", "/api/me"), "unauthenticated");
  });

  it("end when they are revoked or expire, and both ends are on record", async () => {
    const person = await createPerson(instance);
    const [revoked, expired] = [
      await make(person, "read"),
      await make(person, "read", { expires_in_days: 1 }),
    ];
    expect((await person.call("DELETE", `/api/tokens/${revoked.id}`)).status).toBe(200);
    await problemOf(await person.call("DELETE", `/api/tokens/${revoked.id}`), "unknown_token");
    await edit(instance.env, "UPDATE tokens SET expires_at = 1 WHERE id = ?1", expired.id);
    for (const token of [revoked, expired]) {
      await problemOf(await token.call("GET", "/api/me"), "unauthenticated");
    }
    const events = await (await person.call("GET", "/api/events")).text();
    expect(events).toContain('"type":"token_created"');
    expect(events).toContain(`"type":"token_revoked","actor":"owner"`);
  });

  it.each(["bnt_live_", "bnt_test_x", "bnt_", "BNT_test_"])("one like %s is nobody's", async (start) => {
    const token = start.length > 5 ? `${start}${"A".repeat(43)}` : start;
    const headers = { authorization: `Bearer ${token}` };
    await problemOf(await instance.fetch("/api/me", { headers }), "unauthenticated");
  });

  it("T82 another person's token cannot be seen or revoked", async () => {
    const [owner, stranger] = [await createPerson(instance), await createPerson(instance)];
    const token = await make(owner, "read");
    await problemOf(await stranger.call("DELETE", `/api/tokens/${token.id}`), "unknown_token");
    expect(list.parse(await (await stranger.call("GET", "/api/tokens")).json()).tokens).toEqual([]);
    expect((await token.call("GET", "/api/me")).status).toBe(200);
  });

  it("are at most 50", async () => {
    const person = await createPerson(instance);
    await make(person, "read");
    await edit(
      instance.env,
      `INSERT INTO tokens (id, user_id, name, scope, prefix, hash, created_at)
       SELECT 'tok_' || value || user_id, user_id, 'x', 'read', 'x', value || user_id, 1
       FROM tokens, json_each(?1) WHERE user_id = (SELECT id FROM users WHERE subject = ?2)`,
      JSON.stringify(Array.from({ length: 49 }, (_, at) => at)),
      person.name,
    );
    await problemOf(
      await person.call("POST", "/api/tokens", { name: "x", scope: "read" }),
      "too_many_tokens",
    );
  });
});
