import {
  discoverAuthorizationServerMetadata,
  exchangeAuthorization,
  refreshAuthorization,
  startAuthorization,
} from "@modelcontextprotocol/client";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { startDemoService } from "../../scripts/demo-service/demo-service.ts";
import { signInAtDemo } from "../support/node/consent.ts";
import { connectV2 } from "../support/node/mcp-clients.ts";

const redirectUrl = "http://127.0.0.1:9/callback";
const scope = "notes:read notes:write";
const challenge = { code_challenge: "x".repeat(43), code_challenge_method: "S256" };
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

function authorizeUrl(endpoint: string, clientId: string, more: Record<string, string>): URL {
  const query = {
    client_id: clientId,
    redirect_uri: redirectUrl,
    response_type: "code",
    state: "s",
    ...more,
  };
  return new URL(`${endpoint}?${new URLSearchParams(query).toString()}`);
}

type Registered = { client_id: string; redirect_uris: string[] };

async function metadataOf(issuer: string) {
  const metadata = await discoverAuthorizationServerMetadata(issuer);
  if (!metadata) throw new Error("the authorization server has no metadata");
  return metadata;
}

describe("the demo service as an authorization server", async () => {
  let life = 600;
  const demo = await startDemoService({ port: 0, accessTokenTtl: () => life });
  afterAll(() => demo.close());
  const metadata = await metadataOf(demo.url);

  const register = async () => {
    const body = JSON.stringify({
      client_name: "Bindify",
      redirect_uris: [redirectUrl],
      token_endpoint_auth_method: "none",
      application_type: "native",
      grant_types: ["authorization_code", "refresh_token"],
    });
    const headers = { "Content-Type": "application/json" };
    const response = await fetch(metadata.registration_endpoint ?? "", { method: "POST", headers, body });
    return z
      .object({ client_id: z.string(), redirect_uris: z.array(z.string()) })
      .parse(await response.json());
  };

  async function connect(clientInformation: Registered, name: string) {
    const common = { metadata, clientInformation, resource: demo.mcpUrl };
    const asked = { ...common, redirectUrl, scope, state: "s" };
    const { authorizationUrl, codeVerifier } = await startAuthorization(demo.url, asked);
    const back = (await signInAtDemo(authorizationUrl, { name })).searchParams;
    expect(back.get("state")).toBe("s");
    return exchangeAuthorization(demo.url, {
      ...common,
      authorizationCode: back.get("code") ?? "",
      // The metadata promises it (RFC 9207), so the exchange refuses to go on without the right one.
      iss: back.get("iss") ?? "",
      codeVerifier,
      redirectUri: redirectUrl,
    });
  }

  const refresh = (clientInformation: Registered, refreshToken = "") =>
    refreshAuthorization(demo.url, { metadata, clientInformation, refreshToken });
  const status = async (token: string) =>
    (await fetch(demo.mcpUrl, { method: "POST", headers: bearer(token), body: "{}" })).status;

  it("gives each person an opaque token and notes of their own", async () => {
    const client = await register();
    const [ada, ben] = [await connect(client, "Ada"), await connect(client, "Ben")];
    expect(ada.access_token).not.toContain(".");
    expect(ada).toMatchObject({ token_type: "Bearer", expires_in: 600, scope });
    const asAda = await connectV2(demo.mcpUrl, { headers: bearer(ada.access_token), era: "modern" });
    await asAda.callTool("add_note", { text: "only Ada's" });
    const asBen = await connectV2(demo.mcpUrl, { headers: bearer(ben.access_token), era: "legacy" });
    expect(await asBen.callTool("list_notes")).not.toContain("only Ada's");
    await asBen.close();
    await asAda.close();
  });

  it("ends an access token at its time, and rotates refresh tokens", async () => {
    const client = await register();
    life = 1;
    const first = await connect(client, "Ada");
    life = 600;
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect(await status(first.access_token)).toBe(401);
    const second = await refresh(client, first.refresh_token);
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect(await status(second.access_token)).not.toBe(401);
    // The second use of a token that was used up means that somebody has a copy: everything ends.
    await expect(refresh(client, first.refresh_token)).rejects.toThrow();
    await expect(refresh(client, second.refresh_token)).rejects.toThrow();
    expect(await status(second.access_token)).toBe(401);
    expect(demo.stats()).toMatchObject({ tokensByRefresh: 1, tokensRefused: 2 });
  });

  it("revokes with the refresh token what came of it", async () => {
    const client = await register();
    const granted = await connect(client, "Ada");
    const body = new URLSearchParams({ token: granted.refresh_token ?? "", client_id: client.client_id });
    expect((await fetch(`${demo.url}/token/revocation`, { method: "POST", body })).status).toBe(200);
    expect(await status(granted.access_token)).toBe(401);
  });

  it("ends tokens early when a test asks for it", async () => {
    const client = await register();
    const granted = await connect(client, "Ada");
    demo.expireAccessTokens();
    expect(await status(granted.access_token)).toBe(401);
    const again = await refresh(client, granted.refresh_token);
    expect(await status(again.access_token)).not.toBe(401);
    demo.revokeEverything();
    expect(await status(again.access_token)).toBe(401);
    await expect(refresh(client, again.refresh_token)).rejects.toThrow();
  });

  it("refuses a foreign resource, a request without PKCE, and a person who cancels", async () => {
    const { client_id: id } = await register();
    const errorOf = async (more: Record<string, string>, deny = false) => {
      const url = authorizeUrl(metadata.authorization_endpoint, id, more);
      return (await signInAtDemo(url, { deny })).searchParams.get("error");
    };
    expect(await errorOf({ ...challenge, resource: "https://elsewhere.example/mcp" })).toBe("invalid_target");
    expect(await errorOf({ resource: demo.mcpUrl })).toBe("invalid_request");
    expect(await errorOf({ ...challenge, resource: demo.mcpUrl }, true)).toBe("access_denied");
  });

  it("lets a browser that was signed in take another name", async () => {
    const { client_id: id } = await register();
    const url = authorizeUrl(metadata.authorization_endpoint, id, challenge);
    const cookies = new Map<string, string>();
    for (const name of ["Ada", "Ben"]) {
      expect((await signInAtDemo(url, { name, cookies })).searchParams.get("code")).toMatch(/.+/);
    }
  });

  it("takes a client metadata document instead of a registration, and a request without scope", async () => {
    const id = "https://bindify.example/client.json";
    const document = { client_id: id, client_name: "Bindify", redirect_uris: [redirectUrl] };
    const fetchClientDocument = async () =>
      Response.json({ ...document, application_type: "native", token_endpoint_auth_method: "none" });
    const own = await startDemoService({ port: 0, fetchClientDocument });
    const back = await signInAtDemo(authorizeUrl(`${own.url}/auth`, id, challenge));
    expect(back.searchParams.get("code")).toMatch(/.+/);
    await own.close();
  });
});
