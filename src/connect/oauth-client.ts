import { day } from "../lib/clock.ts";
import { toBase64Url } from "../lib/bytes.ts";
import { openOwn, sealOwn, type DeploymentSealDeps } from "../grants/deployment-seal.ts";
import { OauthError } from "../oauth/error.ts";
import type { OauthHttp } from "../oauth/http.ts";
import { registerClient } from "../oauth/register.ts";
import type { AuthorizationServer, ClientMethod, OauthClient } from "../oauth/server.ts";
import type { Service } from "../services/service.ts";
import type { RegistrationRow, Registrations } from "../store/registrations.ts";

/** A registration that ends sooner than this is renewed before it is used for a new sign-in, ms. */
const spare = 7 * day;

/** An OAuth client that the operator configured for one service of the catalogue. */
export interface PreRegistered {
  readonly id: string;
  readonly secret: string | undefined;
}

export interface ClientDeps extends DeploymentSealDeps {
  readonly oauth: OauthHttp;
  readonly stores: DeploymentSealDeps["stores"] & { readonly registrations: Registrations };
  readonly preRegistered: ReadonlyMap<string, PreRegistered>;
  readonly site: { readonly brand: string; readonly publicUrl: string };
  /** A public address that is loopback cannot host a client document, and makes a native client. */
  readonly localMode: boolean;
}

/**
 * Who we are at this authorization server: the person's own client, else in the definition's order the operator's,
 * our metadata document (CIMD), a registration. What belongs to one issuer is never offered to another.
 */
export async function chooseClient(
  service: Service,
  server: AuthorizationServer,
  own: { readonly id: string; readonly secret?: string | undefined } | undefined,
  scope: string | undefined,
  deps: ClientDeps,
): Promise<OauthClient> {
  if (own !== undefined) return withSecret(own.id, own.secret, service, server);
  const ways = service.oauth?.clients ?? [];
  for (const way of ways) {
    const found = await tryWay(way, service, server, scope, deps);
    if (found !== undefined) return found;
  }
  throw new OauthError("no_registration");
}

async function tryWay(
  way: "pre_registered" | "cimd" | "dcr",
  service: Service,
  server: AuthorizationServer,
  scope: string | undefined,
  deps: ClientDeps,
): Promise<OauthClient | undefined> {
  switch (way) {
    case "pre_registered": {
      const client = deps.preRegistered.get(service.id);
      // The operator's secret goes only where the definition expects its service's authorization server.
      if (client === undefined || !isExpected(service, server)) return undefined;
      return withSecret(client.id, client.secret, service, server);
    }
    case "cimd":
      return server.cimd && !deps.localMode
        ? { id: clientDocumentUrl(deps.site.publicUrl), method: "none" }
        : undefined;
    case "dcr":
      return server.registration_endpoint === undefined
        ? undefined
        : await registered(service, server, scope, deps);
  }
}

export function clientDocumentUrl(publicUrl: string): string {
  return `${publicUrl}/oauth/client.json`;
}

export function redirectUri(publicUrl: string): string {
  return `${publicUrl}/oauth/callback`;
}

function isExpected(service: Service, server: AuthorizationServer): boolean {
  const expected = service.oauth?.server;
  if (expected?.issuer !== undefined) return expected.issuer === server.issuer;
  if (expected?.token !== undefined) return expected.token === server.token_endpoint;
  // Without a known issuer, it has to be of the service's own site.
  const url = service.endpoint.url;
  return url !== null && site(url) === site(server.issuer) && site(url) === site(server.token_endpoint);
}

/** The last two labels of a host: close enough for the catalogue's own addresses, which a test looks over. */
function site(url: string): string {
  return new URL(url).hostname.split(".").slice(-2).join(".");
}

function withSecret(
  id: string,
  secret: string | undefined,
  service: Service,
  server: AuthorizationServer,
): OauthClient {
  if (secret === undefined || secret === "") return { id, method: "none" };
  const preferred = (service.oauth?.token_auth_methods ?? []).find((method) => method !== "none");
  const post =
    server.auth_methods.includes("client_secret_post") &&
    !server.auth_methods.includes("client_secret_basic");
  return { id, secret, method: preferred ?? (post ? "client_secret_post" : "client_secret_basic") };
}

/** Our registration at this issuer: the one we have, or a new one. */
async function registered(
  service: Service,
  server: AuthorizationServer,
  scope: string | undefined,
  deps: ClientDeps,
): Promise<OauthClient> {
  const uri = redirectUri(deps.site.publicUrl);
  const known = await deps.stores.registrations.current(server.issuer, uri, spare);
  if (known !== null) return await readRow(known, deps);
  const methods: readonly ClientMethod[] = service.oauth?.token_auth_methods ?? [];
  const registration = await registerClient(
    server,
    { name: deps.site.brand, redirectUri: uri, native: deps.localMode, methods, scope },
    deps.oauth,
  );
  const id = `reg_${toBase64Url(deps.random(16))}`;
  const { sealed, dataKeyId } = await sealOwn(id, "client-secret", registration.client.secret ?? "", deps);
  await deps.stores.registrations.insert({
    id,
    issuer: server.issuer,
    redirect_uri: uri,
    client_id: registration.client.id,
    method: registration.client.method,
    data_key_id: dataKeyId,
    sealed,
    expires_at: registration.expiresAt,
  });
  return registration.client;
}

async function readRow(row: RegistrationRow, deps: ClientDeps): Promise<OauthClient> {
  const secret = await openOwn(row.id, "client-secret", row, deps);
  return { id: row.client_id, method: row.method, ...(secret === "" ? {} : { secret }) };
}
