import { describe, expect, inject, it } from "vitest";
import { problemOf, rpcCall } from "../support/answers.ts";
import { deniedUrls, misshapenUrls } from "../support/hosts.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson, type Person } from "../support/person.ts";
import { createProvider, requestsWith, setRoutes } from "../support/provider.ts";
import { type PublicInstance, publicInstance } from "../support/public-network.ts";
import { signIn, tryToBegin } from "../support/sign-in.ts";

const hostile = inject("hostileUrl");
const origins = { mcpOrigin: "https://mcp.example", asOrigin: "https://as.example" };
const forbidden = [...deniedUrls, ...misshapenUrls.filter((url) => url !== "")];

/** Nothing was sent to an address that the guard refuses, and whatever was sent went to the provider's two hosts. */
function expectOnlyPublic({ wanted }: PublicInstance): void {
  const sent = wanted.filter((target) => !target.startsWith("!"));
  expect(new Set(sent.map((target) => new URL(target).host))).toEqual(new Set(["mcp.example", "as.example"]));
}

async function beginAt(person: Person, url: string): Promise<Response> {
  return await tryToBegin(person, { service: "custom", url });
}

describe("addresses that a sign-in discovers", () => {
  it("T50 T51 T53 the authorization server's own address may not be internal", async () => {
    const instance = publicInstance(hostile);
    const person = await createPerson(instance);
    for (const address of forbidden) {
      const provider = await createProvider(hostile, {
        ...origins,
        resource: { authorization_servers: [address] },
      });
      await problemOf(await beginAt(person, provider.mcpUrl), "sign_in_impossible");
    }
    const sent = instance.wanted.filter((target) => !target.startsWith("!"));
    expect(new Set(sent.map((target) => new URL(target).host))).toEqual(new Set(["mcp.example"]));
  });

  for (const field of [
    "authorization_endpoint",
    "token_endpoint",
    "registration_endpoint",
    "revocation_endpoint",
  ]) {
    it(`T50 T51 T53 ${field}: every forbidden spelling is refused before anything is sent`, async () => {
      const instance = publicInstance(hostile);
      const person = await createPerson(instance);
      for (const address of forbidden) {
        const provider = await createProvider(hostile, { ...origins, server: { [field]: address } });
        const answer = await beginAt(person, provider.mcpUrl);
        expect((await problemOf(answer, "sign_in_impossible")).detail).toMatch(/may not be used/);
        expect(await provider.requests("/register")).toHaveLength(0);
      }
      expectOnlyPublic(instance);
    });
  }

  it("T50 T51 T53 the metadata that a challenge names is not fetched from forbidden addresses", async () => {
    const instance = publicInstance(hostile);
    const person = await createPerson(instance);
    for (const address of deniedUrls) {
      const challenge = `Bearer resource_metadata="${encodeURI(address)}prm"`;
      const provider = await createProvider(hostile, { ...origins, challenge });
      await beginAt(person, provider.mcpUrl);
    }
    const sent = instance.wanted.filter((target) => !target.startsWith("!"));
    expect(sent.every((target) => new URL(target).host === "mcp.example")).toBe(true);
  });

  it("T54 forbidden, unreachable and broken servers are told alike", async () => {
    const instance = publicInstance(hostile);
    const person = await createPerson(instance);
    const provider = await createProvider(hostile, origins);
    await setRoutes(hostile, { [`POST /@mcp.example/${provider.id}/reset`]: { reset: true } });
    const broken = await problemOf(
      await beginAt(person, `https://mcp.example/${provider.id}/reset`),
      "sign_in_impossible",
    );
    const naming = (url: string) =>
      createProvider(hostile, { ...origins, resource: { authorization_servers: [url] } });
    const texts = new Set<string>();
    for (const url of [
      "https://10.0.0.1",
      "https://as.example/none",
      "https://localhost",
      "https://x.internal",
    ]) {
      const { mcpUrl } = await naming(url);
      texts.add((await problemOf(await beginAt(person, mcpUrl), "sign_in_impossible")).detail);
    }
    expect(texts.size).toBe(1);
    expect(broken.detail).toMatch(/could not be reached/);
    const denied = await problemOf(await beginAt(person, "https://10.0.0.1/mcp"), "target_unreachable");
    expect(denied.detail).toMatch(
      /could not be reached from here. The address must be public and use https.$/,
    );
    expect(broken.detail).toMatch(
      /could not be reached from here. The address must be public and use https.$/,
    );
  });
});

describe("what comes back from them", () => {
  const instance = createInstance();

  it("T52 a redirect is never followed, with a secret or without", async () => {
    const person = await createPerson(instance);
    const trap = `${hostile}/trap-${crypto.randomUUID()}`;
    const away = { status: 307, headers: { location: trap } };
    const routes = [
      (id: string) => `POST /${id}/mcp`,
      (id: string) => `GET /.well-known/oauth-protected-resource/${id}/mcp`,
      (id: string) => `GET /.well-known/oauth-authorization-server/${id}`,
      (id: string) => `POST /${id}/register`,
    ];
    for (const route of routes) {
      const provider = await createProvider(hostile);
      await setRoutes(hostile, { [route(provider.id)]: away });
      await beginAt(person, provider.mcpUrl);
    }
    const provider = await createProvider(hostile);
    const made = await signIn(person, provider);
    await setRoutes(hostile, { [`POST /${provider.id}/mcp`]: away });
    const call = await instance.fetch(made.secretPath, rpcCall());
    expect(await call.text()).toMatch(/never followed with your key/);
    await provider.answer("POST /revoke", away);
    await person.call("DELETE", `/api/connections/${made.id}`, undefined, {
      "bindify-credential": made.apiKey,
    });
    expect((await provider.requests("/revoke")).length).toBeGreaterThan(0);
    expect(await requestsWith(hostile, new URL(trap).pathname)).toEqual([]);
  });

  for (const [how, more] of [
    ["5 MB", { padding: 5_000_000 }],
    ["5 MB behind gzip", { padding: 5_000_000, gzip: true }],
  ] as const) {
    it(`T55 metadata of ${how} is not read`, async () => {
      const person = await createPerson(instance);
      const provider = await createProvider(hostile);
      const metadata = { issuer: provider.issuer };
      const route = `GET /.well-known/oauth-authorization-server/${provider.id}`;
      await setRoutes(hostile, { [route]: { json: metadata, ...more } });
      const answer = await beginAt(person, provider.mcpUrl);
      expect((await problemOf(answer, "sign_in_impossible")).detail).toMatch(/names no authorization server/);
    });

    it(`T55 a registration answer of ${how} is not read`, async () => {
      const person = await createPerson(instance);
      const registration = { status: 201, json: { client_id: "x" }, ...more };
      const provider = await createProvider(hostile, { registration });
      await problemOf(await beginAt(person, provider.mcpUrl), "sign_in_impossible");
    });
  }

  it("T55 small packed metadata is read", async () => {
    const person = await createPerson(instance);
    const provider = await createProvider(hostile);
    const route = `GET /.well-known/oauth-protected-resource/${provider.id}/mcp`;
    const json = { resource: provider.mcpUrl, authorization_servers: [provider.issuer] };
    await setRoutes(hostile, { [route]: { json, gzip: true } });
    expect((await beginAt(person, provider.mcpUrl)).status).toBe(200);
  });
});
