import type { Clock } from "../lib/clock.ts";
import { revokeToken } from "../oauth/client.ts";
import { NoAnswer, type OauthHttp } from "../oauth/http.ts";
import type { Service } from "../services/service.ts";
import type { OauthGrant } from "./grant.ts";

export interface RevokeDeps {
  readonly oauth: OauthHttp;
  readonly clock: Clock;
}

export type Revoked = "revoked" | "failed" | "unsupported";

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
