import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  errors,
  jwtVerify,
  type JWTPayload,
  type JWTVerifyGetKey,
} from "jose";
import { z } from "zod";
import { second } from "../lib/clock.ts";
import { Deadline } from "../lib/deadline.ts";
import { Fault } from "../lib/fault.ts";
import type { Outbound } from "../lib/outbound.ts";

/** An issuer whose tokens are accepted. Presets differ in data only. */
export interface IssuerProfile {
  readonly issuer: string;
  /** Asymmetric ones only: a symmetric algorithm would make the public key a signing key. */
  readonly algorithms: readonly string[];
  readonly audience?: string;
  /** Clerk: the `azp` claim must be one of these origins. */
  readonly authorizedParties?: readonly string[];
  readonly keys: JWTVerifyGetKey;
}

/** A verified person. `subject` is unique only together with `issuer`. */
export interface Identity {
  readonly issuer: string;
  readonly subject: string;
  readonly email: string | null;
}

export type Verifier = (token: string) => Promise<Identity>;

const claims = z.object({
  sub: z.string().min(1).max(255),
  email: z.string().max(320).optional().catch(undefined),
  email_verified: z.boolean().optional().catch(undefined),
  azp: z.string().optional(),
  /** Clerk: `pending` until every step of signing in is done. */
  sts: z.string().optional(),
});

/** Accepts a token of one of the issuers, or throws `unauthenticated` without saying why. */
export function createVerifier(profiles: readonly IssuerProfile[]): Verifier {
  return async (token) => {
    for (const profile of profiles) {
      const payload = await tryProfile(token, profile);
      if (payload !== undefined) return readIdentity(payload, profile);
    }
    throw new Fault("unauthenticated");
  };
}

async function tryProfile(token: string, profile: IssuerProfile): Promise<JWTPayload | undefined> {
  try {
    const { payload } = await jwtVerify(token, profile.keys, {
      issuer: profile.issuer,
      algorithms: [...profile.algorithms],
      requiredClaims: ["sub", "exp", "iat"],
      clockTolerance: 5,
      ...(profile.audience === undefined ? {} : { audience: profile.audience }),
    });
    return payload;
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined;
    throw error;
  }
}

function readIdentity(payload: JWTPayload, profile: IssuerProfile): Identity {
  const parsed = claims.safeParse(payload);
  if (!parsed.success) throw new Fault("unauthenticated");
  const { sub, email, email_verified: verified, azp, sts } = parsed.data;
  if (sts === "pending") throw new Fault("unauthenticated");
  if (
    profile.authorizedParties !== undefined &&
    (azp === undefined || !profile.authorizedParties.includes(azp))
  ) {
    throw new Fault("unauthenticated");
  }
  return { issuer: profile.issuer, subject: sub, email: verified === false ? null : (email ?? null) };
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
    keys: createLocalJWKSet({ keys: [{ ...publicKey, alg: "EdDSA" }] }),
  };
}

/** Any OpenID Connect provider (OpenID Connect Core §2). */
export function oidcProfile(
  settings: { issuer: string; jwksUrl: string; audience: string },
  outbound: Outbound,
): IssuerProfile {
  return {
    issuer: settings.issuer,
    algorithms: ["RS256", "PS256", "ES256", "EdDSA"],
    audience: settings.audience,
    keys: remoteKeys(settings.jwksUrl, outbound),
  };
}

/** Clerk: the issuer is the host in the publishable key (`pk_test_<base64("host$")>`). */
export function clerkProfile(
  settings: { publishableKey: string; jwksUrl?: string | undefined; authorizedParties: readonly string[] },
  outbound: Outbound,
): IssuerProfile {
  const issuer = clerkIssuer(settings.publishableKey);
  return {
    issuer,
    algorithms: ["RS256"],
    authorizedParties: settings.authorizedParties,
    keys: remoteKeys(settings.jwksUrl ?? `${issuer}/.well-known/jwks.json`, outbound),
  };
}

/** The issuer that a publishable key names. */
export function clerkIssuer(publishableKey: string): string {
  const host = atob(publishableKey.replace(/^pk_(test|live)_/, "")).replace(/\$$/, "");
  return `https://${host}`;
}

function remoteKeys(url: string, outbound: Outbound): JWTVerifyGetKey {
  return createRemoteJWKSet(new URL(url), {
    cooldownDuration: 30 * second,
    [customFetch]: async (target, options) =>
      await outbound(target, {
        method: "GET",
        headers: new Headers(options.headers),
        deadline: new Deadline(5 * second),
      }),
  });
}
