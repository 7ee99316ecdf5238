import { z } from "zod";
import type { Canned, Received, Routes } from "./canned.ts";

type Fields = Readonly<Record<string, unknown>>;

export interface ProviderOptions {
  /** Origins, where they are not the hostile server's own: see `public-network.ts`. */
  readonly mcpOrigin?: string;
  readonly asOrigin?: string;
  /** Changed or added fields of the protected resource's metadata; null: it has none. */
  readonly resource?: Fields | null;
  /** The same for the authorization server's metadata. */
  readonly server?: Fields | null;
  /** `WWW-Authenticate` of the 401; null: the server answers without a credential. */
  readonly challenge?: string | null;
  readonly token?: Canned;
  readonly registration?: Canned;
}

export interface Provider {
  /** Part of each of its paths, and of its tokens. */
  readonly id: string;
  readonly mcpUrl: string;
  readonly issuer: string;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Answers a path below its own otherwise from now on: `"POST /token"`. */
  answer(route: string, canned: Canned): Promise<void>;
  /** What reached it; with `end`, only at paths that end so. */
  requests(end?: string): Promise<readonly Received[]>;
}

const received = z.array(
  z.object({
    method: z.string(),
    path: z.string(),
    query: z.string(),
    headers: z.record(z.string(), z.string()),
    body: z.string(),
  }),
);

/** How the hostile server names an address: its own by the path, others with their host before. */
function routeOf(hostile: string, url: string): string {
  const { origin, host, pathname } = new URL(url);
  return origin === hostile ? pathname : `/@${host}${pathname}`;
}

export async function setRoutes(hostile: string, routes: Routes): Promise<void> {
  await fetch(`${hostile}/_/routes`, { method: "PUT", body: JSON.stringify(routes) });
}

export async function requestsWith(hostile: string, part: string): Promise<readonly Received[]> {
  const answer = await fetch(`${hostile}/_/requests?part=${encodeURIComponent(part)}`);
  return received.parse(await answer.json());
}

export function tokenAnswer(id: string, more: Fields = {}): Fields {
  return {
    access_token: `access-${id}`,
    token_type: "Bearer",
    expires_in: 3600,
    refresh_token: `refresh-${id}`,
    scope: "read write",
    ...more,
  };
}

/**
 * An MCP server and its authorization server at the hostile server, with addresses of their own. As they come they
 * are flawless; `options` says how they are not.
 */
export async function createProvider(hostile: string, options: ProviderOptions = {}): Promise<Provider> {
  const id = crypto.randomUUID();
  const { mcpOrigin = hostile, asOrigin = hostile } = options;
  const mcpUrl = `${mcpOrigin}/${id}/mcp`;
  const issuer = `${asOrigin}/${id}`;
  const prmUrl = `${mcpOrigin}/.well-known/oauth-protected-resource/${id}/mcp`;
  const at = (method: string, url: string): string => `${method} ${routeOf(hostile, url)}`;

  const resource = { resource: mcpUrl, authorization_servers: [issuer], ...options.resource };
  const server = {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    registration_endpoint: `${issuer}/register`,
    revocation_endpoint: `${issuer}/revoke`,
    code_challenge_methods_supported: ["S256"],
    token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post", "none"],
    authorization_response_iss_parameter_supported: true,
    scopes_supported: ["read", "write"],
    ...options.server,
  };
  const rpc = { jsonrpc: "2.0", id: 7, result: { tools: [] } };
  const { challenge = `Bearer resource_metadata="${prmUrl}", scope="read write"` } = options;
  await setRoutes(hostile, {
    [at("POST", mcpUrl)]:
      challenge === null
        ? { json: rpc }
        : { status: 401, headers: { "www-authenticate": challenge }, json: {}, authorized: { json: rpc } },
    ...(options.resource === null ? {} : { [at("GET", prmUrl)]: { json: resource } }),
    ...(options.server === null
      ? {}
      : { [at("GET", `${asOrigin}/.well-known/oauth-authorization-server/${id}`)]: { json: server } }),
    [at("POST", `${issuer}/register`)]: options.registration ?? {
      status: 201,
      json: { client_id: `client-${id}`, token_endpoint_auth_method: "none" },
    },
    [at("POST", `${issuer}/token`)]: options.token ?? { json: tokenAnswer(id) },
    [at("POST", `${issuer}/revoke`)]: { json: {} },
  });
  return {
    id,
    mcpUrl,
    issuer,
    accessToken: `access-${id}`,
    refreshToken: `refresh-${id}`,
    answer: async (route, canned) => {
      const [method = "", path = ""] = route.split(" ");
      await setRoutes(hostile, { [at(method, `${issuer}${path}`)]: canned });
    },
    requests: async (end = "") => (await requestsWith(hostile, id)).filter(({ path }) => path.endsWith(end)),
  };
}
