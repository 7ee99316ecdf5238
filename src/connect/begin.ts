import * as oauth4webapi from "oauth4webapi";
import { toBase64Url } from "../lib/bytes.ts";
import type { DestinationPolicy } from "../lib/destination.ts";
import { Fault } from "../lib/fault.ts";
import { sealOwn } from "../grants/deployment-seal.ts";
import type { DiscoverDeps } from "../oauth/discover.ts";
import { OauthError } from "../oauth/error.ts";
import type { Catalogue } from "../services/index.ts";
import type { Service } from "../services/service.ts";
import type { Connection, StorageMode } from "../store/connection.ts";
import type { Connections } from "../store/connections.ts";
import type { Flows } from "../store/flows.ts";
import type { User } from "../store/users.ts";
import { chooseUrl, formerUrl, nameOf } from "./address.ts";
import type { Room } from "./mint.ts";
import { hashState, type FlowSecret } from "./flow.ts";
import { chooseClient, redirectUri, type ClientDeps } from "./oauth-client.ts";
import { findServer, signInFault, type Discovered } from "./oauth-server.ts";
import { connectionToRenew } from "./renew.ts";

export interface SignInRequest {
  readonly service?: string | undefined;
  readonly url?: string | undefined;
  readonly storage?: StorageMode | undefined;
  readonly label?: string | undefined;
  /** Id of a connection to sign in again, active or disconnected. */
  readonly reauthorize?: string | undefined;
  /** An OAuth client of the person's own. */
  readonly client?: { readonly id: string; readonly secret?: string | undefined } | undefined;
  readonly return_to?: string | undefined;
}

export interface BeginDeps extends ClientDeps {
  readonly catalogue: Catalogue;
  readonly destinations: DestinationPolicy;
  /** Asked at both ends of a sign-in: a plan may end in the ten minutes between. */
  readonly room: Room;
  readonly stores: ClientDeps["stores"] & { readonly flows: Flows; readonly connections: Connections };
}

export interface Begun {
  readonly authorizationUrl: string;
  readonly state: string;
  /** ms since the epoch. */
  readonly expiresAt: number;
  /** Hosts, so that the page can name both where they differ. */
  readonly authorizationServer: string;
  readonly resourceServer: string;
}

/** Begins a sign-in: finds the authorization server, becomes its client, and keeps a flow for this user alone. */
export async function beginSignIn(
  user: User,
  wanted: SignInRequest,
  returnTo: string,
  deps: BeginDeps,
): Promise<Begun> {
  const again = await connectionToRenew(user.workspace_id, wanted.reauthorize, deps);
  const service = serviceFor(again?.service ?? wanted.service, deps);
  await deps.room.require(user.workspace_id, again?.id ?? null);
  const { oauth } = service;
  if (oauth === undefined)
    throw new Fault("service_not_available", { params: { reason: `${service.name} offers no sign-in.` } });
  const storage = wanted.storage ?? again?.storage ?? "zero_knowledge";
  if (storage === "managed" && deps.keyring === undefined) throw new Fault("storage_not_configured");
  const former = again === undefined ? undefined : formerUrl(service, again);
  const chosen = chooseUrl(service, wanted.url ?? former, deps.destinations);
  if (chosen.kind === "errors") throw new Fault("invalid_request", { errors: chosen.errors });
  const name = nameOf(service, chosen.url);

  try {
    const found = await findServer(chosen.url, oauth, discoverDeps(deps));
    const scope = chooseScope(oauth, found, again);
    const client = await chooseClient(service, found.server, wanted.client, scope, deps);
    const secret: FlowSecret = {
      v: 1,
      verifier: toBase64Url(deps.random(32)),
      source: {
        issuer: found.server.issuer,
        token_endpoint: found.server.token_endpoint,
        revocation_endpoint: oauth.revocation.url ?? found.server.revocation_endpoint,
        client,
        ...(oauth.resource === "send" ? { resource: found.resource.resource ?? chosen.url } : {}),
      },
      redirect_uri: redirectUri(deps.site.publicUrl),
      iss_required: found.server.iss_parameter,
      service: service.id,
      url: chosen.url,
      storage,
      label: wanted.label ?? again?.label ?? name,
      scope: scope ?? null,
      reauthorize: again?.id ?? null,
    };
    return await keepFlow(user, secret, found, oauth, returnTo, deps);
  } catch (error) {
    if (error instanceof OauthError) throw signInFault(error, name);
    throw error;
  }
}

/** A service that can be signed in to here and now. Asked again when a flow is finished. */
export function serviceFor(id: string | undefined, deps: { readonly catalogue: Catalogue }): Service {
  const service = id === undefined ? undefined : deps.catalogue.get(id);
  if (service === undefined) throw new Fault("unknown_service");
  const { oauth: way } = deps.catalogue.availability(service);
  if (!way.available) throw new Fault("service_not_available", { params: { reason: way.reason } });
  return service;
}

async function keepFlow(
  user: User,
  secret: FlowSecret,
  found: Discovered,
  oauth: NonNullable<Service["oauth"]>,
  returnTo: string,
  deps: BeginDeps,
): Promise<Begun> {
  const state = toBase64Url(deps.random(32));
  const stateHash = await hashState(state);
  const { sealed, dataKeyId } = await sealOwn(stateHash, "pkce-verifier", JSON.stringify(secret), deps);
  const expiresAt = await deps.stores.flows.insert({
    state_hash: stateHash,
    user_id: user.id,
    workspace_id: user.workspace_id,
    data_key_id: dataKeyId,
    sealed,
    return_to: returnTo,
  });
  const url = new URL(found.server.authorization_endpoint);
  const parameters = {
    ...oauth.authorize_params,
    response_type: "code",
    client_id: secret.source.client.id,
    redirect_uri: secret.redirect_uri,
    state,
    code_challenge: await oauth4webapi.calculatePKCECodeChallenge(secret.verifier),
    code_challenge_method: "S256",
    ...(secret.scope === null ? {} : { scope: secret.scope }),
    ...(secret.source.resource === undefined ? {} : { resource: secret.source.resource }),
  };
  for (const [parameter, value] of Object.entries(parameters)) url.searchParams.set(parameter, value);
  return {
    authorizationUrl: url.href,
    state,
    expiresAt,
    authorizationServer: url.host,
    resourceServer: new URL(secret.url).host,
  };
}

/**
 * The definition's scopes, else the challenge's, else the metadata's. Where a call was refused for more access, that
 * too, and what was granted before: a step-up must not lose access (MCP 2026-07-28, scope challenges).
 */
function chooseScope(
  oauth: NonNullable<Service["oauth"]>,
  { server, resource }: Discovered,
  again: Connection | undefined,
): string | undefined {
  const challenged = split(resource.challengedScope);
  const listed = challenged.length > 0 ? challenged : resource.scopes;
  const base = oauth.scopes.length > 0 ? oauth.scopes : listed;
  const scopes = new Set([
    ...base,
    ...(oauth.scopes_from_metadata ? resource.scopes : []),
    ...(again?.wanted_scope == null ? [] : [...split(again.scope), ...split(again.wanted_scope)]),
  ]);
  // OpenID Connect servers give no refresh token without it; others may refuse what they do not list.
  if (server.scopes.includes("offline_access")) scopes.add("offline_access");
  return scopes.size === 0 ? undefined : [...scopes].join(oauth.scope_separator);
}

function discoverDeps(deps: BeginDeps): DiscoverDeps {
  return { http: deps.oauth, destinations: deps.destinations };
}

function split(text: string | null | undefined): readonly string[] {
  return text?.split(/[\s,]+/).filter(Boolean) ?? [];
}
