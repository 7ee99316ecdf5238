import * as oauth from "oauth4webapi";
import { z } from "zod";
import { OauthError } from "./error.ts";
import { NoAnswer, type OauthHttp } from "./http.ts";
import type { AuthorizationServer, ClientMethod, OauthClient } from "./server.ts";

export interface Registration {
  readonly client: OauthClient;
  /** ms since the epoch, or null for one that does not expire. */
  readonly expiresAt: number | null;
}

interface Wanted {
  readonly name: string;
  readonly redirectUri: string;
  /** A loopback redirect makes a native application (RFC 8252 §7.3). */
  readonly native: boolean;
  /** Methods in the definition's order of preference; empty: what the metadata offers. */
  readonly methods: readonly ClientMethod[];
  readonly scope: string | undefined;
}

/** Looser than RFC 7591 §3.2.1: servers leave `client_secret_expires_at` out, and answer 200 instead of 201. */
const registeredSchema = z.looseObject({
  client_id: z.string().min(1).max(2048),
  client_secret: z.string().min(1).max(2048).optional(),
  client_secret_expires_at: z.number().optional().catch(undefined),
  token_endpoint_auth_method: z.string().optional().catch(undefined),
});

/** Registers us as a client (RFC 7591). A server that advertises registration and refuses it is named as such. */
export async function registerClient(
  server: AuthorizationServer,
  wanted: Wanted,
  http: OauthHttp,
): Promise<Registration> {
  if (server.registration_endpoint === undefined) throw new OauthError("no_registration");
  const method = chooseMethod(server, wanted.methods);
  const metadata = {
    client_name: wanted.name,
    redirect_uris: [wanted.redirectUri],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: method,
    application_type: wanted.native ? "native" : "web",
    ...(wanted.scope === undefined ? {} : { scope: wanted.scope }),
  };
  try {
    const as = { issuer: server.issuer, registration_endpoint: server.registration_endpoint };
    const answer = await oauth.dynamicClientRegistrationRequest(as, metadata, http.options);
    if (!answer.ok) throw new OauthError("registration_refused");
    const registered = registeredSchema.parse(await answer.json());
    return {
      client: readClient(registered, method),
      expiresAt: expiryOf(registered.client_secret_expires_at),
    };
  } catch (error) {
    if (error instanceof NoAnswer) throw new OauthError("unreachable");
    if (error instanceof OauthError) throw error;
    throw new OauthError("registration_refused");
  }
}

/** 0 and absence mean "never" (RFC 7591 §3.2.1). */
function expiryOf(seconds: number | undefined): number | null {
  return seconds !== undefined && seconds > 0 ? seconds * 1000 : null;
}

/** The server's word on the method counts: it may have changed what was asked for (RFC 7591 §3.2.1). */
function readClient(answered: z.output<typeof registeredSchema>, asked: ClientMethod): OauthClient {
  const { client_id: id, client_secret: secret } = answered;
  const method = answered.token_endpoint_auth_method ?? asked;
  if (secret === undefined || method === "none") return { id, method: "none" };
  if (method !== "client_secret_basic" && method !== "client_secret_post")
    throw new OauthError("registration_refused");
  return { id, method, secret };
}

function chooseMethod(server: AuthorizationServer, preferred: readonly ClientMethod[]): ClientMethod {
  const known: readonly ClientMethod[] =
    preferred.length > 0 ? preferred : ["none", "client_secret_basic", "client_secret_post"];
  // RFC 8414 §2: without the list the default is client_secret_basic.
  const offered = server.auth_methods.length > 0 ? server.auth_methods : ["client_secret_basic", "none"];
  return known.find((method) => offered.includes(method)) ?? "client_secret_basic";
}
