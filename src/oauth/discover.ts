import { z } from "zod";
import { checkDestination, type DestinationPolicy } from "../lib/destination.ts";
import { askForChallenge } from "./challenge.ts";
import { OauthError } from "./error.ts";
import { NoAnswer, type OauthHttp } from "./http.ts";
import type { AuthorizationServer } from "./server.ts";

export interface DiscoverDeps {
  readonly http: OauthHttp;
  readonly destinations: DestinationPolicy;
}

/** What a definition knows better than metadata, or lets pass. */
export interface DiscoverPolicy {
  /** Without protected-resource metadata the MCP origin is the authorization server (MCP 2025-03-26). */
  readonly originFallback: boolean;
  readonly pkce: "required" | "supported";
  /** Issuers that the service spells in another way than it should. */
  readonly aliases: readonly { readonly advertised: string; readonly issuer: string }[];
}

export interface ProtectedResource {
  /** RFC 8707 `resource`: what the metadata says, else undefined. */
  readonly resource: string | undefined;
  readonly issuer: string;
  readonly scopes: readonly string[];
  /** The scope that the challenge asked for. */
  readonly challengedScope: string | undefined;
}

const resourceMetadata = z.looseObject({
  resource: z.string(),
  authorization_servers: z.array(z.string()).min(1).optional(),
  scopes_supported: z.array(z.string()).optional().catch(undefined),
});

const serverMetadata = z.looseObject({
  issuer: z.string(),
  authorization_endpoint: z.string(),
  token_endpoint: z.string(),
  registration_endpoint: z.string().optional(),
  revocation_endpoint: z.string().optional(),
  code_challenge_methods_supported: z.array(z.string()).optional(),
  token_endpoint_auth_methods_supported: z.array(z.string()).optional().catch(undefined),
  scopes_supported: z.array(z.string()).optional().catch(undefined),
  client_id_metadata_document_supported: z.boolean().optional().catch(undefined),
  authorization_response_iss_parameter_supported: z.boolean().optional().catch(undefined),
});

/**
 * Finds out which authorization server guards an MCP server (RFC 9728): metadata named by the challenge, else the
 * path-inserted well-known address, else the root's, else (2025-03-26) the origin itself.
 */
export async function discoverResource(
  mcpUrl: string,
  policy: DiscoverPolicy,
  deps: DiscoverDeps,
): Promise<ProtectedResource> {
  const challenge = await askForChallenge(mcpUrl, deps.http);
  const { origin, pathname } = new URL(mcpUrl);
  const wellKnown = `${origin}/.well-known/oauth-protected-resource`;
  const candidates =
    challenge.resourceMetadata === undefined
      ? [...(pathname === "/" ? [] : [wellKnown + pathname.replace(/\/$/, "")]), wellKnown]
      : [challenge.resourceMetadata];
  for (const candidate of candidates) {
    const metadata = resourceMetadata.safeParse(await fetchMetadata(candidate, deps));
    if (!metadata.success) continue;
    const { resource, authorization_servers: servers, scopes_supported: scopes } = metadata.data;
    // RFC 9728 §3.3: metadata for another resource is not to be used. Its own parent path is as far as it may reach.
    if (!covers(resource, mcpUrl)) throw new OauthError("resource_mismatch");
    const issuer = servers?.[0] ?? origin;
    return { resource, issuer: real(issuer, policy), scopes: scopes ?? [], challengedScope: challenge.scope };
  }
  if (!policy.originFallback) throw new OauthError("no_authorization_server");
  return { resource: undefined, issuer: origin, scopes: [], challengedScope: challenge.scope };
}

/** Reads an authorization server's metadata (RFC 8414, OpenID Connect Discovery) and checks it. */
export async function discoverServer(
  issuer: string,
  policy: DiscoverPolicy,
  deps: DiscoverDeps,
): Promise<AuthorizationServer> {
  // RFC 8414 §2: without query and fragment. Told like one that has no metadata, so that answers map no network.
  const verdict = checkDestination(issuer, deps.destinations);
  if (!verdict.ok || verdict.url.search !== "") throw new OauthError("no_authorization_server");
  for (const candidate of metadataUrls(verdict.url)) {
    const metadata = serverMetadata.safeParse(await fetchMetadata(candidate, deps));
    if (!metadata.success) continue;
    const found = metadata.data;
    // RFC 8414 §3.3: identical, as text. Anything looser lets one server speak for another.
    if (real(found.issuer, policy) !== issuer) throw new OauthError("issuer_mismatch");
    if (policy.pkce === "required" && !found.code_challenge_methods_supported?.includes("S256")) {
      throw new OauthError("no_pkce");
    }
    return checkServer(
      {
        issuer,
        authorization_endpoint: found.authorization_endpoint,
        token_endpoint: found.token_endpoint,
        registration_endpoint: found.registration_endpoint,
        revocation_endpoint: found.revocation_endpoint,
        iss_parameter: found.authorization_response_iss_parameter_supported ?? false,
        cimd: found.client_id_metadata_document_supported ?? false,
        auth_methods: found.token_endpoint_auth_methods_supported ?? [],
        scopes: found.scopes_supported ?? [],
      },
      deps,
    );
  }
  throw new OauthError("no_authorization_server");
}

/** Without any metadata, MCP 2025-03-26 names these addresses at the origin. */
export function defaultServer(origin: string, deps: DiscoverDeps): AuthorizationServer {
  return checkServer(
    {
      issuer: origin,
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/token`,
      registration_endpoint: `${origin}/register`,
      iss_parameter: false,
      cimd: false,
      auth_methods: [],
      scopes: [],
    },
    deps,
  );
}

/** Every address that somebody else named passes the guard before a secret could go there. */
export function checkServer(server: AuthorizationServer, deps: DiscoverDeps): AuthorizationServer {
  const urls = [
    server.authorization_endpoint,
    server.token_endpoint,
    server.registration_endpoint,
    server.revocation_endpoint,
  ];
  for (const url of urls) {
    if (url !== undefined && !checkDestination(url, deps.destinations).ok) {
      throw new OauthError("endpoint_not_allowed");
    }
  }
  return server;
}

/** OAuth path-inserted, OIDC path-inserted, OIDC path-appended; without a path the first two. */
function metadataUrls({ origin, pathname }: URL): readonly string[] {
  const path = pathname.replace(/\/$/, "");
  return [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}/.well-known/openid-configuration${path}`,
    ...(path === "" ? [] : [`${origin}${path}/.well-known/openid-configuration`]),
  ];
}

function real(issuer: string, policy: DiscoverPolicy): string {
  return policy.aliases.find((alias) => alias.advertised === issuer)?.issuer ?? issuer;
}

function covers(resource: string, mcpUrl: string): boolean {
  if (!URL.canParse(resource)) return false;
  const [outer, inner] = [new URL(resource), new URL(mcpUrl)];
  if (outer.origin !== inner.origin) return false;
  const path = outer.pathname.replace(/\/$/, "");
  return path === "" || inner.pathname === path || inner.pathname.startsWith(`${path}/`);
}

async function fetchMetadata(url: string, deps: DiscoverDeps): Promise<unknown> {
  try {
    return await deps.http.getJson(url);
  } catch (error) {
    // An address that does not answer or may not be asked has no metadata.
    if (error instanceof NoAnswer) return undefined;
    throw error;
  }
}
