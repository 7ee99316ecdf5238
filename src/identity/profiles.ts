import { createLocalJWKSet } from "jose";
import type { Clock } from "../lib/clock.ts";
import type { Outbound } from "../lib/outbound.ts";
import { publishedKeys } from "./published-keys.ts";
import type { IssuerProfile } from "./verifier.ts";

export interface ProfileDeps {
  readonly outbound: Outbound;
  readonly clock: Clock;
}

const localIssuer = "urn:bindify:local";

/** The owner of a local deployment: tokens signed by the key pair that `npm start` generated. */
export function localProfile(
  publicKey: { kty: string; crv: string; x: string; kid: string },
  publicUrl: string,
): IssuerProfile {
  return {
    issuer: localIssuer,
    algorithms: ["EdDSA"],
    audience: publicUrl,
    ownAddresses: true,
    keys: createLocalJWKSet({ keys: [{ ...publicKey, alg: "EdDSA" }] }),
  };
}

/** Any OpenID Connect provider (OpenID Connect Core §2). */
export function oidcProfile(
  settings: { issuer: string; jwksUrl: string; audience: string },
  deps: ProfileDeps,
): IssuerProfile {
  return {
    issuer: settings.issuer,
    algorithms: ["RS256", "PS256", "ES256", "EdDSA"],
    audience: settings.audience,
    keys: publishedKeys(settings.jwksUrl, deps),
  };
}

/** Clerk's issuer: the host in the publishable key (`pk_test_<base64("host$")>`). */
export function clerkIssuer(publishableKey: string): string {
  const host = atob(publishableKey.replace(/^pk_(test|live)_/, "")).replace(/\$$/, "");
  return `https://${host}`;
}

export function clerkProfile(
  settings: { publishableKey: string; jwksUrl?: string | undefined; authorizedParties: readonly string[] },
  deps: ProfileDeps,
): IssuerProfile {
  const issuer = clerkIssuer(settings.publishableKey);
  return {
    issuer,
    algorithms: ["RS256"],
    authorizedParties: settings.authorizedParties,
    keys: publishedKeys(settings.jwksUrl ?? `${issuer}/.well-known/jwks.json`, deps),
  };
}
