import type { Clock } from "../lib/clock.ts";
import { revokeToken } from "../oauth/client.ts";
import { NoAnswer, type OauthHttp } from "../oauth/http.ts";
import type { Service } from "../services/service.ts";
import type { Connections } from "../store/connections.ts";
import type { OauthGrant } from "./grant.ts";

export interface RevokeDeps {
  readonly oauth: OauthHttp;
  readonly clock: Clock;
}

export type Revoked = "revoked" | "failed" | "unsupported";

/** Whose tokens they are, for finding others that the same revocation would end. */
interface Owner {
  readonly workspaceId: string;
  readonly issuer: string;
  /** A connection that does not count: the one that is ending. */
  readonly except?: string;
}

type Siblings = Pick<Connections, "hasSibling">;

/**
 * Whether revoking could end grants that are in use: unless a service is known to end one token's grant only, it may
 * end every grant of the app for the person.
 */
export async function wouldEndOthers(
  owner: Owner,
  service: Service | undefined,
  connections: Siblings,
): Promise<boolean> {
  if (service?.oauth?.revocation.scope === "token") return false;
  return await connections.hasSibling(owner.workspaceId, owner.except ?? "", owner.issuer);
}

/** Tokens that belong to no connection: nobody holds them but us, so they are revoked where that ends nothing else. */
export async function revokeOrphan(
  grant: OauthGrant,
  workspaceId: string,
  service: Service | undefined,
  deps: RevokeDeps & { readonly stores: { readonly connections: Siblings } },
): Promise<void> {
  const owner = { workspaceId, issuer: grant.source.issuer };
  if (await wouldEndOthers(owner, service, deps.stores.connections)) return;
  await revokeGrant(grant, service, deps);
}

type OwnRequest = NonNullable<NonNullable<Service["oauth"]>["revocation"]["request"]>;

/** Ends a grant at its provider: by RFC 7009 at the sealed endpoint, or by the request that the definition gives. */
export async function revokeGrant(
  grant: OauthGrant,
  service: Service | undefined,
  deps: RevokeDeps,
): Promise<Revoked> {
  const known = service?.oauth?.revocation;
  if (known?.style === "none") return "unsupported";
  if (known?.request !== undefined) return await ownRevocation(grant, known.request, deps);
  if (grant.source.revocation_endpoint === undefined) return "unsupported";
  const { refresh_token: refreshToken, secret } = grant;
  const tokenDeps = { http: deps.oauth, clock: deps.clock };
  // RFC 7009 §2.1: revoking the refresh token ends the access tokens of the grant too.
  return refreshToken === undefined
    ? await revokeToken(grant.source, secret, "access_token", tokenDeps)
    : await revokeToken(grant.source, refreshToken, "refresh_token", tokenDeps);
}

async function ownRevocation(grant: OauthGrant, request: OwnRequest, deps: RevokeDeps): Promise<Revoked> {
  const { client } = grant.source;
  const fill = (text: string): string =>
    text.replaceAll("{client_id}", client.id).replaceAll("{access_token}", grant.secret);
  const authorization =
    request.authentication === "bearer"
      ? `Bearer ${grant.secret}`
      : `Basic ${btoa(`${client.id}:${client.secret ?? ""}`)}`;
  const body = Object.entries(request.body ?? {}).map(([name, value]) => [name, fill(value)]);
  try {
    const answer = await deps.oauth.request(fill(request.url), {
      method: request.method,
      headers: new Headers({
        authorization,
        accept: "application/json",
        "content-type": "application/json",
        "user-agent": "bindify",
      }),
      body: JSON.stringify(Object.fromEntries(body)),
    });
    return answer.ok ? "revoked" : "failed";
  } catch (error) {
    if (error instanceof NoAnswer) return "failed";
    throw error;
  }
}
