import {
  authorizationCodeGrantRequest,
  allowInsecureRequests,
  calculatePKCECodeChallenge,
  type Client,
  discoveryRequest,
  dynamicClientRegistrationRequest,
  None,
  generateRandomCodeVerifier,
  processAuthorizationCodeResponse,
  processDiscoveryResponse,
  processDynamicClientRegistrationResponse,
  processRefreshTokenResponse,
  processRevocationResponse,
  refreshTokenGrantRequest,
  ResponseBodyError,
  revocationRequest,
  validateAuthResponse,
} from "oauth4webapi";
import { afterAll, describe, expect, it } from "vitest";
import { startDemoService } from "../../scripts/demo-service/demo-service.ts";
import { signInAtDemo } from "../support/node/consent.ts";
import { connectV2 } from "../support/node/mcp-clients.ts";

const insecure = { [allowInsecureRequests]: true };
const callback = "http://127.0.0.1:9/callback";
const auth = None();

describe("the demo service as an authorization server", async () => {
  const demo = await startDemoService({ port: 0, accessTokenTtl: 2 });
  afterAll(() => demo.close());
  const issuer = new URL(demo.url);
  const discovered = await discoveryRequest(issuer, { algorithm: "oauth2", ...insecure });
  const server = await processDiscoveryResponse(issuer, discovered);

  async function register(): Promise<Client> {
    const metadata = {
      client_name: "Bindify",
      redirect_uris: [callback],
      token_endpoint_auth_method: "none",
      application_type: "native",
      grant_types: ["authorization_code", "refresh_token"],
    };
    const response = await dynamicClientRegistrationRequest(server, metadata, insecure);
    return processDynamicClientRegistrationResponse(response);
  }

  async function authorizeUrl(client: Client, more: Record<string, string> = {}): Promise<URL> {
    const url = new URL(server.authorization_endpoint ?? "");
    const query = {
      client_id: client.client_id,
      redirect_uri: callback,
      response_type: "code",
      state: "s",
      ...more,
    };
    url.search = new URLSearchParams({ scope: "notes:read notes:write", ...query }).toString();
    return url;
  }

  async function connect(client: Client, name: string, resource = demo.mcpUrl) {
    const verifier = generateRandomCodeVerifier();
    const pkce = {
      code_challenge: await calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
    };
    const back = await signInAtDemo(await authorizeUrl(client, { ...pkce, resource }), { name });
    // Without `iss` in the answer this throws, because the metadata promises it (RFC 9207).
    const parameters = validateAuthResponse(server, client, back, "s");
    const options = { ...insecure, additionalParameters: { resource } };
    return processAuthorizationCodeResponse(
      server,
      client,
      await authorizationCodeGrantRequest(server, client, auth, parameters, callback, verifier, options),
    );
  }

  const refresh = async (client: Client, token = "") =>
    processRefreshTokenResponse(
      server,
      client,
      await refreshTokenGrantRequest(server, client, auth, token, insecure),
    );
  const headers = (token: string) => ({ Authorization: `Bearer ${token}` });
  const status = async (token: string) =>
    (await fetch(demo.mcpUrl, { method: "POST", headers: headers(token), body: "{}" })).status;

  it("gives each person an opaque token and notes of their own", async () => {
    const client = await register();
    const [ada, ben] = [await connect(client, "Ada"), await connect(client, "Ben")];
    expect(ada.access_token).not.toContain(".");
    expect(ada).toMatchObject({ token_type: "bearer", expires_in: 2, scope: "notes:read notes:write" });
    const asAda = await connectV2(demo.mcpUrl, { headers: headers(ada.access_token), era: "modern" });
    await asAda.callTool("add_note", { text: "only Ada's" });
    const asBen = await connectV2(demo.mcpUrl, { headers: headers(ben.access_token), era: "legacy" });
    expect(await asBen.callTool("list_notes")).not.toContain("only Ada's");
    await asBen.close();
    await asAda.close();
  });

  it("ends an access token at its time, and rotates refresh tokens", async () => {
    const client = await register();
    const first = await connect(client, "Ada");
    await new Promise((resolve) => setTimeout(resolve, 2100));
    expect(await status(first.access_token)).toBe(401);
    const second = await refresh(client, first.refresh_token);
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect(await status(second.access_token)).not.toBe(401);
    // The second use of a token that was used up means that somebody has a copy: everything ends.
    await expect(refresh(client, first.refresh_token)).rejects.toThrow(ResponseBodyError);
    await expect(refresh(client, second.refresh_token)).rejects.toThrow(ResponseBodyError);
    expect(await status(second.access_token)).toBe(401);
    expect(demo.stats()).toMatchObject({ tokensByRefresh: 1, tokensRefused: 2 });
  });

  it("revokes with the refresh token what came of it", async () => {
    const client = await register();
    const granted = await connect(client, "Ada");
    const response = await revocationRequest(server, client, auth, granted.refresh_token ?? "", insecure);
    await processRevocationResponse(response);
    expect(await status(granted.access_token)).toBe(401);
  });

  it("refuses a foreign resource, a request without PKCE, and a person who cancels", async () => {
    const client = await register();
    const challenge = { code_challenge: "x".repeat(43), code_challenge_method: "S256" };
    const errorOf = async (more: Record<string, string>, deny = false) =>
      (await signInAtDemo(await authorizeUrl(client, more), { deny })).searchParams.get("error");
    expect(await errorOf({ ...challenge, resource: "https://elsewhere.example/mcp" })).toBe("invalid_target");
    expect(await errorOf({ resource: demo.mcpUrl })).toBe("invalid_request");
    expect(await errorOf({ ...challenge, resource: demo.mcpUrl }, true)).toBe("access_denied");
  });

  it("takes a client metadata document instead of a registration", async () => {
    const id = "https://bindify.example/client.json";
    const document = {
      client_id: id,
      client_name: "Bindify",
      redirect_uris: ["https://bindify.example/callback"],
      token_endpoint_auth_method: "none",
    };
    const own = await startDemoService({ port: 0, fetchClientDocument: async () => Response.json(document) });
    const url = new URL(`${own.url}/auth`);
    url.search = new URLSearchParams({
      client_id: id,
      redirect_uri: "https://bindify.example/callback",
      response_type: "code",
      state: "s",
      code_challenge: "x".repeat(43),
      code_challenge_method: "S256",
    }).toString();
    expect((await signInAtDemo(url)).searchParams.get("code")).toMatch(/.+/);
    await own.close();
  });
});
