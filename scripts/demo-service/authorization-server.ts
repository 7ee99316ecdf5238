import { randomBytes, webcrypto } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { type Context, errors, Provider } from "./oidc.mjs";
import { errorPage } from "./pages.ts";
import type { TokenStore } from "./token-store.ts";

export const scopes = ["notes:read", "notes:write"];
const sessionCookie = "demo_notes_session";

export interface AuthorizationServerOptions {
  issuer: string;
  /** The protected resource that tokens are for (RFC 8707). */
  resource: string;
  store: TokenStore;
  /** Seconds; asked for with each token. */
  accessTokenTtl: () => number;
  /** Seconds. */
  refreshTokenTtl: number;
  rotateRefreshTokens: boolean;
  /** Fetches a client's metadata document. */
  fetchClientDocument: (url: string, init: RequestInit) => Promise<Response>;
  onError: (error: Error) => void;
}

async function signingKey(): Promise<webcrypto.JsonWebKey> {
  const pair = await webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign"]);
  return { ...(await webcrypto.subtle.exportKey("jwk", pair.privateKey)), use: "sig", alg: "ES256" };
}

export async function createAuthorizationServer(options: AuthorizationServerOptions): Promise<Provider> {
  const { resource } = options;
  const provider = new Provider(options.issuer, {
    adapter: options.store.adapter,
    // With the default of 15 s a token outlives its `expires_in`, and a missed refresh would go unnoticed.
    clockTolerance: 0,
    jwks: { keys: [await signingKey()] },
    cookies: {
      keys: [randomBytes(32).toString("base64url")],
      // Cookies ignore the port, and the proxy lives on the same host: names that say whose they are.
      names: {
        session: "demo_notes_session",
        interaction: "demo_notes_sign_in",
        resume: "demo_notes_resume",
      },
    },
    scopes: ["openid", "offline_access", ...scopes],
    responseTypes: ["code"],
    clientAuthMethods: ["none", "client_secret_basic", "client_secret_post"],
    clientDefaults: {
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      id_token_signed_response_alg: "ES256",
    },
    clientBasedCORS: () => false,
    pkce: { required: () => true },
    issueRefreshToken: (_: Context, client: { grantTypeAllowed(type: string): boolean }) =>
      client.grantTypeAllowed("refresh_token"),
    expiresWithSession: () => false,
    rotateRefreshToken: options.rotateRefreshTokens,
    ttl: {
      AccessToken: options.accessTokenTtl,
      AuthorizationCode: 60,
      Grant: options.refreshTokenTtl,
      IdToken: 600,
      Interaction: 600,
      RefreshToken: options.refreshTokenTtl,
      Session: 86_400,
    },
    findAccount: (_: Context, accountId: string) => ({ accountId, claims: () => ({ sub: accountId }) }),
    interactions: { url: (_: Context, interaction: { uid: string }) => `/sign-in/${interaction.uid}` },
    renderError: (context: Context, out: Record<string, string>) => {
      context.type = "html";
      context.body = errorPage(out["error_description"] ?? out["error"] ?? "Something went wrong.");
    },
    fetch: (url: string | URL, init: RequestInit & { dispatcher?: unknown }) => {
      // oidc-provider's dispatcher closes connections to loopback, where this service and its clients live.
      const { dispatcher: _dispatcher, ...rest } = init;
      return options.fetchClientDocument(String(url), rest);
    },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      registration: { enabled: true, issueRegistrationAccessToken: false },
      clientIdMetadataDocument: {
        enabled: true,
        ack: "draft-02",
        cacheDuration: { min: 5, max: 60 },
        allowFetch: () => true,
        allowClient: () => true,
      },
      revocation: {
        enabled: true,
        allowedPolicy: (_: Context, client: { clientId: string }, token: { clientId: string }) =>
          token.clientId === client.clientId,
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        useGrantedResource: () => true,
        getResourceServerInfo: (_: Context, indicator: string) => {
          if (indicator !== resource) throw new errors.InvalidTarget();
          // Opaque, so that a revoked token stops working at once.
          return {
            scope: scopes.join(" "),
            accessTokenTTL: options.accessTokenTtl(),
            accessTokenFormat: "opaque",
          };
        },
      },
    },
  });
  provider.on("error", options.onError);
  provider.on("server_error", (_, error) => options.onError(error));
  return provider;
}

/** Two leniencies that oidc-provider has no setting for, made in the request before it sees it. */
export function adjustRequest(request: IncomingMessage, url: URL): void {
  // A request that names no scope gets all of them (RFC 6749 §3.3), where oidc-provider would grant nothing.
  if (url.pathname === "/auth" && !url.searchParams.has("scope")) {
    url.searchParams.set("scope", scopes.join(" "));
    request.url = url.pathname + url.search;
  }
  // No memory of who was signed in: each sign-in shows the page, and a person may take another name.
  const cookies = (request.headers.cookie ?? "").split("; ");
  request.headers.cookie = cookies.filter((cookie) => !cookie.startsWith(sessionCookie)).join("; ");
}
