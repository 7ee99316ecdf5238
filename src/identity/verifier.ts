import { decodeJwt, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from "jose";
import { z } from "zod";
import { toBase64Url, utf8 } from "../lib/bytes.ts";
import { day, second, systemClock } from "../lib/clock.ts";
import { Fault } from "../lib/fault.ts";

/** An issuer whose tokens are accepted. Presets differ in data only. */
export interface IssuerProfile {
  readonly issuer: string;
  /** Asymmetric ones only: a symmetric algorithm would make the public key a signing key. */
  readonly algorithms: readonly string[];
  readonly audience?: string;
  /** Clerk: the `azp` claim must be one of these origins. */
  readonly authorizedParties?: readonly string[];
  /** The deployment's own tokens: their addresses need no `email_verified`. */
  readonly ownAddresses?: boolean;
  readonly keys: JWTVerifyGetKey;
}

/** A verified person. `subject` is unique only together with `issuer`. */
export interface Identity {
  readonly issuer: string;
  readonly subject: string;
  /** Verified, so that mail may go there; null where the token says none that is. */
  readonly email: string | null;
  readonly name: string | null;
  /** SHA-256 of what the sign-in is known by: the same for each token of one sign-in. */
  readonly session: string;
  /** When this token was made, ms. */
  readonly issuedAt: number;
}

export type Verifier = (token: string) => Promise<Identity>;

const claims = z.object({
  sub: z.string().min(1).max(255),
  iat: z.number(),
  email: z.string().max(320).optional().catch(undefined),
  email_verified: z.boolean().optional().catch(undefined),
  name: z.string().trim().min(1).max(200).optional().catch(undefined),
  azp: z.string().optional(),
  /** Clerk: `pending` until every step of signing in is done. */
  sts: z.string().optional(),
  sid: z.string().optional().catch(undefined),
  auth_time: z.number().optional().catch(undefined),
  jti: z.string().optional().catch(undefined),
});

/** Older tokens are refused, ms: what an erasure remembers of a person is forgotten after this time. */
const oldestToken = day;

/** Accepts a token of one of the issuers, or throws `unauthenticated` without saying why. */
export function createVerifier(profiles: readonly IssuerProfile[]): Verifier {
  const byIssuer = new Map(profiles.map((profile) => [profile.issuer, profile]));
  return async (token) => {
    // Only says whose keys to ask; the signature is checked against that issuer's and no other.
    const profile = byIssuer.get(claimedIssuer(token));
    const payload = profile === undefined ? undefined : await verifyFor(profile, token);
    if (profile === undefined || payload === undefined) throw new Fault("unauthenticated");
    return await readIdentity(payload, profile);
  };
}

function claimedIssuer(token: string): string {
  try {
    return decodeJwt(token).iss ?? "";
  } catch {
    return "";
  }
}

async function verifyFor(profile: IssuerProfile, token: string): Promise<JWTPayload | undefined> {
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

async function readIdentity(payload: JWTPayload, profile: IssuerProfile): Promise<Identity> {
  const parsed = claims.safeParse(payload);
  if (!parsed.success) throw new Fault("unauthenticated");
  const { sub, email, email_verified: verified, name, azp, sts, iat } = parsed.data;
  if (sts === "pending" || systemClock() - iat * second > oldestToken) throw new Fault("unauthenticated");
  if (
    profile.authorizedParties !== undefined &&
    (azp === undefined || !profile.authorizedParties.includes(azp))
  ) {
    throw new Fault("unauthenticated");
  }
  return {
    issuer: profile.issuer,
    subject: sub,
    email: (verified ?? profile.ownAddresses === true) ? (email ?? null) : null,
    name: name ?? null,
    session: await sessionOf(parsed.data),
    issuedAt: iat * second,
  };
}

/** The session where the issuer names it (OpenID Connect Front-Channel Logout §3), else what is nearest to one. */
async function sessionOf(token: z.output<typeof claims>): Promise<string> {
  const known =
    token.sid !== undefined
      ? ["sid", token.sid]
      : token.auth_time !== undefined
        ? ["auth_time", token.auth_time]
        : ["token", token.jti ?? token.iat];
  const text = JSON.stringify(["bindify/session/v1", ...known]);
  return toBase64Url(new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(text))));
}
