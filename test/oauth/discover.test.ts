import { describe, expect, inject, it } from "vitest";
import { problemOf } from "../support/answers.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson } from "../support/person.ts";
import { createProvider, type ProviderOptions, setRoutes } from "../support/provider.ts";
import { publicInstance } from "../support/public-network.ts";
import { begin, tryToBegin } from "../support/sign-in.ts";

const hostile = inject("hostileUrl");
const instance = createInstance();

async function refused(options: ProviderOptions, sentence: RegExp): Promise<void> {
  const provider = await createProvider(hostile, options);
  const person = await createPerson(instance);
  const answer = await tryToBegin(person, { service: "custom", url: provider.mcpUrl });
  expect((await problemOf(answer, "sign_in_impossible")).detail).toMatch(sentence);
  expect(await provider.requests("/register")).toHaveLength(0);
  expect(await provider.requests("/token")).toHaveLength(0);
}

describe("PKCE", () => {
  for (const methods of [undefined, [], ["plain"], ["s256"]]) {
    it(`T35 metadata with ${JSON.stringify(methods)} is refused`, async () => {
      await refused({ server: { code_challenge_methods_supported: methods } }, /PKCE/);
    });
  }

  it("T35 a new challenge for each flow, also where the server is known", async () => {
    const provider = await createProvider(hostile);
    const person = await createPerson(instance);
    const challenges = new Set<string | null>();
    for (let flow = 0; flow < 3; flow += 1) {
      const { asked } = await begin(person, { service: "custom", url: provider.mcpUrl });
      expect(asked.get("code_challenge_method")).toBe("S256");
      challenges.add(asked.get("code_challenge"));
    }
    expect(challenges.size).toBe(3);
  });
});

describe("metadata that speaks for somebody else", () => {
  for (const [how, issuer] of [
    ["another issuer", "https://evil.example"],
    ["a slash more", "{issuer}/"],
    ["another case", "{ISSUER}"],
    ["the origin only", hostile],
  ] as const) {
    it(`T38 an authorization server that calls itself ${how} is refused`, async () => {
      const provider = await createProvider(hostile);
      const spelled = issuer
        .replace("{issuer}", provider.issuer)
        .replace("{ISSUER}", provider.issuer.replace("http", "HTTP"));
      const metadata = {
        issuer: spelled,
        authorization_endpoint: `${provider.issuer}/authorize`,
        token_endpoint: `${provider.issuer}/token`,
        code_challenge_methods_supported: ["S256"],
      };
      const route = `GET /.well-known/oauth-authorization-server/${provider.id}`;
      await setRoutes(hostile, { [route]: { json: metadata } });
      const person = await createPerson(instance);
      const answer = await tryToBegin(person, { service: "custom", url: provider.mcpUrl });
      expect((await problemOf(answer, "sign_in_impossible")).detail).toMatch(/calls itself something else/);
      expect(await provider.requests("/register")).toHaveLength(0);
    });
  }

  for (const resource of [
    "https://mcp.example.com/mcp",
    "http://127.0.0.1:1/mcp",
    `${hostile}/elsewhere/mcp`,
    "not a URL",
  ]) {
    it(`T38 a protected resource that calls itself ${resource.replace(hostile, "…")} is refused`, async () => {
      await refused({ resource: { resource } }, /describes another server/);
    });
  }

  it("T38 the server as a whole may speak for an address on it, another path may not", async () => {
    const person = await createPerson(instance);
    const whole = await createProvider(hostile, { resource: { resource: hostile } });
    const { asked } = await begin(person, { service: "custom", url: whole.mcpUrl });
    expect(asked.get("resource")).toBe(hostile);
    const longer = await createProvider(hostile);
    await refused({ resource: { resource: `${longer.mcpUrl}/deeper` } }, /describes another server/);
  });
});

describe("endpoints that may not be used", () => {
  const odd = [
    "javascript:alert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "ftp://as.example/token",
    "http://as.example/token",
    "https://user:pass@as.example/token",
    "https://as.example:8443/token",
    "https://10.0.0.1/token",
    "//as.example/token",
    "/token",
    "",
  ];
  for (const field of [
    "authorization_endpoint",
    "token_endpoint",
    "registration_endpoint",
    "revocation_endpoint",
  ]) {
    it(`T37 as ${field}: odd schemes, plain http, private and odd addresses`, async () => {
      for (const endpoint of odd) await refused({ server: { [field]: endpoint } }, /may not be used/);
    });
  }

  it("T37 loopback counts on a loopback deployment only", async () => {
    const open = publicInstance(hostile);
    const person = await createPerson(open);
    const origins = { mcpOrigin: "https://mcp.example", asOrigin: "https://as.example" };
    const good = await createProvider(hostile, origins);
    await begin(person, { service: "custom", url: good.mcpUrl });
    for (const token_endpoint of [`${hostile}/token`, "https://localhost/token", "https://127.0.0.1/token"]) {
      const provider = await createProvider(hostile, { ...origins, server: { token_endpoint } });
      const answer = await tryToBegin(person, { service: "custom", url: provider.mcpUrl });
      expect((await problemOf(answer, "sign_in_impossible")).detail).toMatch(/may not be used/);
    }
  });
});
