import { describe, expect, inject, it } from "vitest";
import { problemOf } from "../support/answers.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson } from "../support/person.ts";
import { createProvider, setRoutes } from "../support/provider.ts";
import { publicInstance } from "../support/public-network.ts";
import { begin, signIn, tryToBegin } from "../support/sign-in.ts";

const hostile = inject("hostileUrl");
const instance = createInstance();

describe("the operator's client", () => {
  const clients = { github: { id: "operators-github", secret: "SECRET-OF-THE-OPERATOR" } };
  const github = {
    issuer: "https://github.com/login/oauth",
    authorization_endpoint: "https://github.com/login/oauth/authorize",
    token_endpoint: "https://github.com/login/oauth/access_token",
    code_challenge_methods_supported: ["S256"],
  };

  it("T46 serves its own service", async () => {
    const open = publicInstance(hostile, clients);
    const { asked } = await begin(await createPerson(open), { service: "github" });
    expect(asked.get("client_id")).toBe("operators-github");
  });

  it("T35 sends S256 also to a server whose metadata is not read", async () => {
    const open = publicInstance(hostile, clients);
    const { asked } = await begin(await createPerson(open), { service: "github" });
    expect(asked.get("code_challenge_method")).toBe("S256");
    expect(asked.get("code_challenge")).toMatch(/^[\w-]{43}$/);
    expect(open.wanted).toEqual([]);
  });

  it("T46 never serves an address whose metadata names that service's authorization server", async () => {
    const open = publicInstance(hostile, clients);
    const person = await createPerson(open);
    const metadata = "GET /@github.com/.well-known/oauth-authorization-server/login/oauth";
    await setRoutes(hostile, { [metadata]: { json: github } });
    const provider = await createProvider(hostile, {
      mcpOrigin: "https://evil.example",
      resource: { authorization_servers: [github.issuer] },
    });
    const wanted = { service: "custom", url: provider.mcpUrl };
    await problemOf(await tryToBegin(person, wanted), "sign_in_impossible");
    await setRoutes(hostile, {
      [metadata]: { json: { ...github, client_id_metadata_document_supported: true } },
    });
    const { asked, authorization_url } = await begin(person, wanted);
    expect(asked.get("client_id")).toBe("https://bindify.example/oauth/client.json");
    expect(new URL(authorization_url).host).toBe("github.com");
  });

  it("T46 does not go where a catalogue service's metadata suddenly points", async () => {
    const open = publicInstance(hostile, { sentry: { id: "operators-sentry", secret: "SECRET" } });
    const issuer = "https://evil.example";
    await setRoutes(hostile, {
      "POST /@mcp.sentry.dev/mcp": { status: 401 },
      "GET /@mcp.sentry.dev/.well-known/oauth-protected-resource/mcp": {
        json: { resource: "https://mcp.sentry.dev/mcp", authorization_servers: [issuer] },
      },
      "GET /@evil.example/.well-known/oauth-authorization-server": {
        json: {
          issuer,
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
          registration_endpoint: `${issuer}/register`,
          code_challenge_methods_supported: ["S256"],
        },
      },
      "POST /@evil.example/register": { status: 201, json: { client_id: "by-evil" } },
    });
    const { asked } = await begin(await createPerson(open), { service: "sentry" });
    expect(asked.get("client_id")).not.toBe("operators-sentry");
  });

  it("T46 a person's own client serves neither another workspace nor the next sign-in", async () => {
    const [one, two] = [await createPerson(instance), await createPerson(instance)];
    const provider = await createProvider(hostile);
    const wanted = { service: "custom", url: provider.mcpUrl };
    await signIn(one, provider, { ...wanted, client: { id: "own-id", secret: "own-secret" } });
    const [request] = await provider.requests("/token");
    expect(request?.headers["authorization"]).toBe(`Basic ${btoa("own-id:own-secret")}`);
    for (const person of [two, one]) {
      expect((await begin(person, wanted)).asked.get("client_id")).toBe(`client-${provider.id}`);
    }
  });
});
