import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { hostHeaderValidationResponse, originValidationResponse } from "@modelcontextprotocol/server";
import { adjustRequest, createAuthorizationServer, scopes } from "./authorization-server.ts";
import { serveBothEras } from "./both-eras.ts";
import { sendWebResponse, serveWeb } from "./http-bridge.ts";
import { createNotebooks } from "./notes.ts";
import { createNotesServer } from "./notes-server.ts";
import { homePage, pageHeaders } from "./pages.ts";
import { serveSignIn } from "./sign-in.ts";
import { createTokenStore } from "./token-store.ts";

/** It protects nothing: the service listens on loopback only and its notes are samples. */
export const demoKey = "demo-notes-key";

export interface DemoServiceOptions {
  /** 0 takes a free port. */
  port: number;
  host?: "127.0.0.1";
  /** Seconds, asked for with each token; 600 unless told. */
  accessTokenTtl?: () => number;
  /** Seconds; 30 days unless told. */
  refreshTokenTtl?: number;
  /** Whether a refresh token is used up by its use, so that a second use ends the grant; true unless told. */
  rotateRefreshTokens?: boolean;
  /** How client metadata documents are fetched; plain `fetch` unless told. */
  fetchClientDocument?: (url: string, init: RequestInit) => Promise<Response>;
  /** Told of defects, never of a client's mistakes. */
  onError?: (error: Error) => void;
}

/** Counts since the start. */
interface DemoStats {
  registrations: number;
  tokenRequests: number;
  tokensByCode: number;
  tokensByRefresh: number;
  tokensRefused: number;
  revocations: number;
  mcpRequests: number;
  mcpRefused: number;
}

export interface DemoService {
  url: string;
  mcpUrl: string;
  stats(): DemoStats;
  /** Ends all access tokens early; refresh tokens go on working. */
  expireAccessTokens(): void;
  /** Ends all access, as when the account's owner removes the application at the service. */
  revokeEverything(): void;
  close(): Promise<void>;
}

async function listen(server: Server, port: number, host: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host, exclusive: true }, resolve);
  });
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === "string") throw new TypeError("not listening on a port");
  return address.port;
}

type Serve = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

const notReady: Serve = async (_, response) => {
  response.writeHead(503, { "Retry-After": "1" }).end();
};

/** Starts the demo service: an OAuth authorization server and an MCP server that takes its tokens or a key. */
export async function startDemoService(options: DemoServiceOptions): Promise<DemoService> {
  const onError = options.onError ?? ((error: Error) => console.error(`Demo notes: ${error.message}`));
  const host = options.host ?? "127.0.0.1";
  let serve: Serve = notReady;
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      onError(error instanceof Error ? error : new Error(String(error)));
      if (response.headersSent) response.destroy();
      else response.writeHead(500, { "Content-Type": "text/plain" }).end("The demo service failed.");
    });
  });
  // workerd keeps an idle connection for 5 s, as Node does: whichever of them closes it, the other may be about to use it.
  server.keepAliveTimeout = 60_000;
  // The port is part of the issuer, so it must be known before the authorization server is made.
  const url = `http://${host}:${await listen(server, options.port, host)}`;
  const mcpUrl = `${url}/mcp`;
  const metadataUrl = `${url}/.well-known/oauth-protected-resource/mcp`;

  const stats: DemoStats = {
    registrations: 0,
    tokenRequests: 0,
    tokensByCode: 0,
    tokensByRefresh: 0,
    tokensRefused: 0,
    revocations: 0,
    mcpRequests: 0,
    mcpRefused: 0,
  };
  const store = createTokenStore();
  const provider = await createAuthorizationServer({
    issuer: url,
    resource: mcpUrl,
    store,
    accessTokenTtl: options.accessTokenTtl ?? (() => 600),
    refreshTokenTtl: options.refreshTokenTtl ?? 30 * 86_400,
    rotateRefreshTokens: options.rotateRefreshTokens ?? true,
    fetchClientDocument: options.fetchClientDocument ?? fetch,
    onError,
  });
  provider.on("registration_create.success", () => stats.registrations++);
  provider.on("grant.error", () => stats.tokensRefused++);
  provider.on("grant.success", ({ oidc }) => {
    if (oidc.params?.["grant_type"] === "refresh_token") stats.tokensByRefresh++;
    else stats.tokensByCode++;
  });

  const notebookOf = createNotebooks();
  const mcp = serveBothEras(({ account }) => createNotesServer(notebookOf(account)));

  async function accountOf(authorization: string): Promise<string | undefined> {
    const token = /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
    if (token === undefined) return undefined;
    if (token === demoKey) return "key";
    const found = await provider.AccessToken.find(token);
    return found && [found.aud].flat().includes(mcpUrl) ? `person:${found.accountId}` : undefined;
  }

  async function serveMcp(request: Request): Promise<Response> {
    stats.mcpRequests++;
    // The names are those of this machine: a page of another site must not reach it through the browser.
    const foreign = originValidationResponse(request, ["127.0.0.1", "localhost"]);
    if (foreign) return foreign;
    const authorization = request.headers.get("authorization");
    const account = await accountOf(authorization ?? "");
    if (account !== undefined) return mcp.fetch(request, account);
    stats.mcpRefused++;
    const error = authorization === null ? "" : 'error="invalid_token", ';
    const challenge = `Bearer ${error}resource_metadata="${metadataUrl}", scope="${scopes.join(" ")}"`;
    return Response.json(
      { error: authorization === null ? "unauthorized" : "invalid_token" },
      { status: 401, headers: { "WWW-Authenticate": challenge } },
    );
  }

  const metadata = {
    resource: mcpUrl,
    resource_name: "Demo notes",
    authorization_servers: [url],
    scopes_supported: scopes,
    bearer_methods_supported: ["header"],
  };
  const handleOidc = provider.callback();

  serve = async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", url);
    const probe = new Request(url, { headers: { host: request.headers.host ?? "" } });
    const foreign = hostHeaderValidationResponse(probe, ["127.0.0.1", "localhost"]);
    if (foreign) await sendWebResponse(foreign, response);
    else if (pathname === "/mcp") await serveWeb(request, response, url, serveMcp);
    else if (pathname === "/.well-known/oauth-protected-resource/mcp") {
      await sendWebResponse(Response.json(metadata), response);
    } else if (pathname === "/") response.writeHead(200, pageHeaders).end(homePage(url));
    else if (pathname.startsWith("/sign-in/")) await serveSignIn(provider, mcpUrl, request, response);
    else {
      adjustRequest(request, new URL(request.url ?? "/", url));
      if (request.method === "POST" && pathname === "/token") stats.tokenRequests++;
      if (request.method === "POST" && pathname === "/token/revocation") stats.revocations++;
      await handleOidc(request, response);
    }
  };

  return {
    url,
    mcpUrl,
    stats: () => ({ ...stats }),
    expireAccessTokens: () => store.drop("AccessToken"),
    revokeEverything: () => store.drop("AccessToken", "RefreshToken", "AuthorizationCode", "Grant"),
    close: async () => {
      await mcp.close();
      await new Promise<void>((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      });
    },
  };
}
