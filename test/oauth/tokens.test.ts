import { describe, expect, inject, it } from "vitest";
import { refreshOnce } from "../../src/grants/refresh.ts";
import { admit } from "../../src/proxy/admit.ts";
import { problemOf, rpcCall } from "../support/answers.ts";
import type { Canned } from "../support/canned.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson } from "../support/person.ts";
import { createProvider, tokenAnswer } from "../support/provider.ts";
import { begin, finish, goodAnswer, signedInBy, signIn } from "../support/sign-in.ts";

const hostile = inject("hostileUrl");
const instance = createInstance();

const unusable: readonly (readonly [string, Canned])[] = [
  ["HTML", { text: "<html>access_token=x</html>" }],
  ["HTML that is labelled JSON", { text: "<html>", headers: { "content-type": "application/json" } }],
  ["5 MB", { padding: 5_000_000, json: tokenAnswer("x") }],
  ["5 MB, packed", { padding: 5_000_000, gzip: true, json: tokenAnswer("x") }],
  ["of token type mac", { json: tokenAnswer("x", { token_type: "mac" }) }],
  ["of token type DPoP", { json: tokenAnswer("x", { token_type: "DPoP" }) }],
  ["of a token type that is no text", { json: tokenAnswer("x", { token_type: ["Bearer"] }) }],
  ["without an access token", { json: { token_type: "Bearer" } }],
  ["with an access token that breaks headers", { json: tokenAnswer("x", { access_token: "a\r\nx: y" }) }],
  ["with an access token of 20 kB", { json: tokenAnswer("x", { access_token: "a".repeat(20_000) }) }],
  ["with an access token that is no text", { json: tokenAnswer("x", { access_token: { a: 1 } }) }],
  ["null", { json: null }],
  ["a list", { json: [tokenAnswer("x")] }],
  ["an error with status 200", { json: { error: "bad_verification_code" } }],
  ["an error", { status: 400, json: { error: "invalid_grant" } }],
  ["a redirect", { status: 307, headers: { location: "https://elsewhere.example/token" } }],
  ["a failure of its own", { status: 503, json: tokenAnswer("x") }],
  ["cut off", { reset: true }],
];

async function flowAt(token: Canned) {
  const provider = await createProvider(hostile, { token });
  const person = await createPerson(instance);
  const flow = await begin(person, { service: "custom", url: provider.mcpUrl });
  return { provider, person, flow };
}

describe("an answer to the code that holds no usable tokens", () => {
  for (const [how, token] of unusable) {
    it(`T40 ${how}: a typed error, nothing stored`, async () => {
      const { provider, person, flow } = await flowAt(token);
      await problemOf(await finish(person, goodAnswer(flow, provider)), "sign_in_unfinished");
      const list = await person.call("GET", "/api/connections");
      expect(await list.json()).toEqual({ connections: [], next_cursor: null });
    });
  }
});

describe("an answer to the refresh token that holds no usable tokens", () => {
  // `invalid_grant` is the one that says for good that there will be none.
  for (const [how, token] of unusable.filter(([name]) => name !== "an error")) {
    it(`T40 ${how}: the old tokens are kept, and work`, async () => {
      const provider = await createProvider(hostile);
      const made = await signIn(await createPerson(instance), provider);
      await provider.answer("POST /token", token);
      const runtime = await instance.runtime();
      const held = await admit("custom", made.halves, runtime);
      expect((await refreshOnce(held, runtime)).kind).toBe("later");
      expect(await provider.requests("/token")).toHaveLength(2);
      const state = await runtime.stores.grants.read(made.id);
      expect(["live", "sent"]).toContain(state?.state);
      expect(state?.gen).toBe(1);
      const answer = await instance.fetch(made.secretPath, rpcCall());
      expect(await answer.json()).toMatchObject({ result: { tools: [] } });
      expect((await provider.requests("/mcp")).at(-1)?.headers["authorization"]).toBe(
        `Bearer ${provider.accessToken}`,
      );
    });
  }
});

describe("how long the tokens live", () => {
  for (const [how, expires_in] of [
    ["negative", -1],
    ["huge", 1e300],
    ["text", "soon"],
    ["an object", { a: 1 }],
    ["not there", undefined],
    ["null", null],
    ["zero", 0],
  ] as const) {
    it(`T40 ${how}: taken as not known`, async () => {
      const { provider, person, flow } = await flowAt({ json: tokenAnswer("life", { expires_in }) });
      const { connection } = await signedInBy(await finish(person, goodAnswer(flow, provider)));
      expect(connection.access_expires_at).toBeNull();
    });
  }

  it("as text of digits it counts, and a JWT's own date does where nothing is said", async () => {
    const text = await flowAt({ json: tokenAnswer("life", { expires_in: "3600" }) });
    const said = await signedInBy(await finish(text.person, goodAnswer(text.flow, text.provider)));
    const left = Date.parse(said.connection.access_expires_at ?? "") - Date.now();
    expect(Math.abs(left - 3_600_000)).toBeLessThan(60_000);

    const exp = Math.floor(Date.now() / 1000) + 120;
    const access_token = `e30.${btoa(JSON.stringify({ exp })).replaceAll("=", "")}.c2ln`;
    const own = await flowAt({ json: tokenAnswer("jwt", { access_token, expires_in: undefined }) });
    const read = await signedInBy(await finish(own.person, goodAnswer(own.flow, own.provider)));
    expect(Date.parse(read.connection.access_expires_at ?? "")).toBe(exp * 1000);
  });
});

async function grantedScope(scope: unknown) {
  const { provider, person, flow } = await flowAt({ json: tokenAnswer("scope", { scope }) });
  return await signedInBy(await finish(person, goodAnswer(flow, provider)));
}

describe("the scope that was granted", () => {
  it("T41 narrower than asked for is recorded", async () => {
    const { connection, extra_scope } = await grantedScope("read");
    expect(connection.scope).toBe("read");
    expect(extra_scope).toEqual([]);
  });

  it("T41 broader than asked for is recorded and flagged", async () => {
    const { connection, extra_scope } = await grantedScope("read write admin:org");
    expect(connection.scope).toBe("read write admin:org");
    expect(extra_scope).toEqual(["admin:org"]);
  });

  it("T41 unsaid is what was asked for, and an odd one is left out", async () => {
    expect((await grantedScope(undefined)).connection.scope).toBe("read write");
    expect((await grantedScope({ a: 1 })).connection.scope).toBe("read write");
    expect((await grantedScope("x".repeat(5000))).connection.scope).toBe("read write");
  });

  it("T90 that repeats a token is taken as unsaid: it is stored and shown in clear", async () => {
    for (const secret of ["access-scope", "refresh-scope"]) {
      const { connection, extra_scope } = await grantedScope(`read ${secret}`);
      expect(connection.scope).toBe("read write");
      expect(extra_scope).toEqual([]);
    }
  });
});

describe("the resource (RFC 8707)", () => {
  it("T42 is named in the authorization, the code's and each refresh request", async () => {
    const provider = await createProvider(hostile);
    const person = await createPerson(instance);
    const flow = await begin(person, { service: "custom", url: provider.mcpUrl });
    expect(flow.asked.get("resource")).toBe(provider.mcpUrl);
    const short = { json: tokenAnswer(provider.id, { expires_in: 1 }) };
    await provider.answer("POST /token", short);
    const { credential } = await signedInBy(await finish(person, goodAnswer(flow, provider)));
    await provider.answer("POST /token", { json: tokenAnswer(provider.id) });
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await instance.fetch(new URL(credential?.secret_url ?? "").pathname, rpcCall());
    const sent = (await provider.requests("/token")).map(({ body }) => new URLSearchParams(body));
    expect(sent.map((form) => form.get("grant_type"))).toEqual(["authorization_code", "refresh_token"]);
    expect(sent.map((form) => form.getAll("resource"))).toEqual([[provider.mcpUrl], [provider.mcpUrl]]);
    expect(sent[0]?.get("code_verifier")).toMatch(/^[\w-]{43}$/);
    expect(sent[0]?.get("redirect_uri")).toBe(`${instance.env.PUBLIC_URL}/oauth/callback`);
  });
});
