import { Fault } from "../lib/fault.ts";
import {
  checkServer,
  defaultServer,
  discoverResource,
  discoverServer,
  type DiscoverDeps,
  type DiscoverPolicy,
  type ProtectedResource,
} from "../oauth/discover.ts";
import { OauthError, type OauthFailure } from "../oauth/error.ts";
import type { AuthorizationServer } from "../oauth/server.ts";
import type { Service } from "../services/service.ts";

export interface Discovered {
  readonly server: AuthorizationServer;
  readonly resource: ProtectedResource;
}

type OauthPart = NonNullable<Service["oauth"]>;

/** Which authorization server guards an MCP address: pinned by the definition, or discovered. */
export async function findServer(mcpUrl: string, oauth: OauthPart, deps: DiscoverDeps): Promise<Discovered> {
  if (oauth.discovery === "pinned") return pinned(oauth, deps);
  const policy: DiscoverPolicy = {
    originFallback: oauth.origin_fallback,
    pkce: oauth.pkce,
    aliases: oauth.issuer_aliases,
  };
  const resource = await discoverResource(mcpUrl, policy, deps);
  try {
    return { resource, server: await discoverServer(resource.issuer, policy, deps) };
  } catch (error) {
    const bare = error instanceof OauthError && error.failure === "no_authorization_server";
    if (!bare || resource.resource !== undefined) throw error;
    // MCP 2025-03-26: neither kind of metadata, so the addresses are where that revision puts them.
    return { resource, server: defaultServer(resource.issuer, deps) };
  }
}

function pinned({ server, scopes }: OauthPart, deps: DiscoverDeps): Discovered {
  const { issuer, authorization, token } = server;
  if (issuer === undefined || authorization === undefined || token === undefined) {
    throw new OauthError("no_authorization_server");
  }
  return {
    resource: { resource: undefined, issuer, scopes: [], challengedScope: undefined },
    server: checkServer(
      {
        issuer,
        authorization_endpoint: authorization,
        token_endpoint: token,
        registration_endpoint: server.registration,
        revocation_endpoint: server.revocation,
        iss_parameter: false,
        cimd: false,
        auth_methods: [],
        scopes,
      },
      deps,
    ),
  };
}

const reasons: Readonly<Record<OauthFailure, string>> = {
  resource_mismatch:
    "describes another server than the one you gave, which may be a trap. Check the address.",
  no_authorization_server: "names no authorization server. If it works with a key, connect with a key.",
  issuer_mismatch: "names an authorization server that calls itself something else, which may be a trap.",
  endpoint_not_allowed: "names an address that may not be used: only public https addresses are.",
  no_pkce: "has an authorization server without PKCE (S256), which would let others steal the sign-in.",
  registration_refused:
    "says that anybody may register as a client, and refused us all the same. It probably admits approved clients only: use your own client id, or ask the operator.",
  no_registration:
    "lets nobody register by themselves. Give a client id of your own, or ask the operator to set one.",
  unreachable: "could not be reached from here. The address must be public and use https.",
};

/** The sentence for a sign-in that cannot begin. */
export function signInFault(error: OauthError, service: string): Fault {
  return new Fault("sign_in_impossible", { params: { reason: `${service} ${reasons[error.failure]}` } });
}
