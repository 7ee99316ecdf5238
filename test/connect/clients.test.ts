import { describe, expect, inject, it } from "vitest";
import { problemOf, rpcCall } from "../support/answers.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson } from "../support/person.ts";
import { createProvider, setRoutes, tokenAnswer } from "../support/provider.ts";
import { publicInstance } from "../support/public-network.ts";
import { begin, finish, goodAnswer, signedInBy, signIn, tryToBegin } from "../support/sign-in.ts";
import { dump, edit } from "../support/storage.ts";

const hostile = inject("hostileUrl");
const instance = createInstance();

const secretive = (client_secret: string, more: object = {}) => ({
  status: 201,
  json: {
    client_id: `client-of-${client_secret}`,
    client_secret,
    token_endpoint_auth_method: "client_secret_basic",
    ...more,
  },
});

describe("registering as a client (RFC 7591)", () => {
  it("says who we are: a native client on loopback, one redirect address, refresh tokens", async () => {
    const person = await createPerson(instance);
    const provider = await createProvider(hostile);
    await begin(person, { service: "custom", url: provider.mcpUrl });
    const [request] = await provider.requests("/register");
    expect(JSON.parse(request?.body ?? "")).toEqual({
      client_name: "Bindify",
      redirect_uris: [`${instance.env.PUBLIC_URL}/oauth/callback`],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
      application_type: "native",
      scope: "read write",
    });
  });

  it("a web client on a public address", async () => {
    const open = publicInstance(hostile);
    const person = await createPerson(open);
    const provider = await createProvider(hostile, {
      mcpOrigin: "https://mcp.example",
      asOrigin: "https://as.example",
    });
    await begin(person, { service: "custom", url: provider.mcpUrl });
    const [request] = await provider.requests("/register");
    expect(JSON.parse(request?.body ?? "")).toMatchObject({
      application_type: "web",
      redirect_uris: ["https://bindify.example/oauth/callback"],
    });
  });

  it("happens once per issuer, and again before it ends", async () => {
    const person = await createPerson(instance);
    const soon = Math.floor(Date.now() / 1000) + 30 * 86_400;
    const registration = secretive("renewable", { client_secret_expires_at: soon });
    const provider = await createProvider(hostile, { registration });
    for (let time = 0; time < 3; time += 1) await signIn(person, provider);
    expect(await provider.requests("/register")).toHaveLength(1);
    await edit(
      instance.env,
      "UPDATE client_registrations SET expires_at = expires_at - ?1 WHERE issuer = ?2",
      24 * 86_400_000,
      provider.issuer,
    );
    await signIn(person, provider);
    expect(await provider.requests("/register")).toHaveLength(2);
  });

  it("happens again where the server has forgotten the client", async () => {
    const person = await createPerson(instance);
    const provider = await createProvider(hostile);
    const flow = await begin(person, { service: "custom", url: provider.mcpUrl });
    await provider.answer("POST /token", { status: 401, json: { error: "invalid_client" } });
    await problemOf(await finish(person, goodAnswer(flow, provider)), "sign_in_unfinished");
    await provider.answer("POST /token", { json: tokenAnswer(provider.id) });
    await signIn(person, provider);
    expect(await provider.requests("/register")).toHaveLength(2);
  });

  for (const [how, registration] of [
    ["refused", { status: 403, text: "Forbidden", headers: { "content-type": "application/json" } }],
    ["refused as the RFC says", { status: 400, json: { error: "invalid_redirect_uri" } }],
    ["answered without a client id", { status: 201, json: {} }],
    [
      "answered with a method that we have not",
      secretive("x", { token_endpoint_auth_method: "private_key_jwt" }),
    ],
  ] as const) {
    it(`advertised and ${how}: said so`, async () => {
      const person = await createPerson(instance);
      const provider = await createProvider(hostile, { registration });
      const answer = await tryToBegin(person, { service: "custom", url: provider.mcpUrl });
      expect((await problemOf(answer, "sign_in_impossible")).detail).toMatch(/approved clients only/);
    });
  }

  it("not advertised: said so, and an own client still works", async () => {
    const person = await createPerson(instance);
    const provider = await createProvider(hostile, { server: { registration_endpoint: undefined } });
    const wanted = { service: "custom", url: provider.mcpUrl };
    const answer = await tryToBegin(person, wanted);
    expect((await problemOf(answer, "sign_in_impossible")).detail).toMatch(/client id of your own/);
    const { asked } = await begin(person, { ...wanted, client: { id: "mine" } });
    expect(asked.get("client_id")).toBe("mine");
  });
});

describe("client secrets", () => {
  it("T39 a server that moves to a new authorization server sends it nothing of the old one", async () => {
    const person = await createPerson(instance);
    const old = await createProvider(hostile, { registration: secretive("secret-of-the-old") });
    const next = await createProvider(hostile, { registration: secretive("secret-of-the-new") });
    const made = await signIn(person, old);
    const moved = { resource: old.mcpUrl, authorization_servers: [next.issuer] };
    await setRoutes(hostile, {
      [`GET /.well-known/oauth-protected-resource/${old.id}/mcp`]: { json: moved },
    });
    await next.answer("POST /token", { json: tokenAnswer(next.id) });

    const flow = await begin(person, { reauthorize: made.id });
    expect(flow.asked.get("client_id")).toBe("client-of-secret-of-the-new");
    await signedInBy(await finish(person, { ...goodAnswer(flow, next), credential: made.apiKey }));
    const received = JSON.stringify(await next.requests());
    const basic = btoa("client-of-secret-of-the-old:secret-of-the-old");
    for (const secret of ["secret-of-the-old", basic, old.refreshToken, old.accessToken]) {
      expect(received).not.toContain(secret);
    }
    await instance.fetch(made.secretPath, rpcCall());
    expect((await old.requests("/mcp")).at(-1)?.headers["authorization"]).toBe(`Bearer ${next.accessToken}`);
  });

  it("T39 an existing connection goes on at the authorization server that it was made with", async () => {
    const person = await createPerson(instance);
    const short = { json: tokenAnswer("short", { expires_in: 1 }) };
    const old = await createProvider(hostile, { token: short });
    const next = await createProvider(hostile);
    const made = await signIn(person, old);
    const moved = { resource: old.mcpUrl, authorization_servers: [next.issuer] };
    await setRoutes(hostile, {
      [`GET /.well-known/oauth-protected-resource/${old.id}/mcp`]: { json: moved },
    });
    await old.answer("POST /token", { json: tokenAnswer(old.id) });
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await instance.fetch(made.secretPath, rpcCall());
    expect(await old.requests("/token")).toHaveLength(2);
    expect(await next.requests()).toEqual([]);
  });

  it("are sealed at rest", async () => {
    const person = await createPerson(instance);
    const provider = await createProvider(hostile, { registration: secretive("SECRET-AT-REST") });
    await begin(person, {
      service: "custom",
      url: provider.mcpUrl,
      client: { id: "mine", secret: "OWN-SECRET-AT-REST" },
    });
    await signIn(person, provider);
    const [request] = await provider.requests("/token");
    const sent = `Basic ${btoa("client-of-SECRET-AT-REST:SECRET-AT-REST")}`;
    expect(request?.headers["authorization"]).toBe(sent);
    const rest = JSON.stringify(await dump(instance.env));
    expect(rest).not.toMatch(/"[^"]*(?<!client-of-)SECRET-AT-REST/);
  });
});
