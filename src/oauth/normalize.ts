import { z } from "zod";

/** Tokens as an answer gave them, in one form. Times are ms since the epoch. */
export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string | undefined;
  readonly expires_at: number | null;
  readonly scope: string | undefined;
}

export type TokenAnswer =
  | { readonly kind: "tokens"; readonly tokens: Tokens }
  /** An OAuth error code (RFC 6749 §5.2), whatever the status was. */
  | { readonly kind: "error"; readonly code: string }
  | { readonly kind: "unusable" };

/** Longer lives than this are taken for a mistake: ten years, in seconds. */
const longestLife = 315_360_000;
/** What fits a header of services. */
const longestToken = 16_384;

const token = z
  .string()
  .min(1)
  .max(longestToken)
  .regex(/^[\x21-\x7e]+$/);

const answerSchema = z.looseObject({
  access_token: token,
  // Slack and GitHub say nothing odd here, but a `mac` or `dpop` token would not work as a bearer.
  token_type: z
    .string()
    .regex(/^bearer$/i)
    .optional(),
  refresh_token: token.optional().catch(undefined),
  expires_in: z.coerce.number().min(0).max(longestLife).nullish().catch(undefined),
  scope: z.string().max(4096).optional().catch(undefined),
});

const errorSchema = z.looseObject({ error: z.string().regex(/^[\x20-\x7e]{1,100}$/) });

/**
 * Reads a token endpoint's answer. Errors come before tokens: GitHub sends them with status 200. `nested` is where a
 * service may hide the tokens (Slack's `authed_user`). Where `expires_in` is missing, a JWT's own `exp` serves.
 */
export function readTokenAnswer(status: number, body: unknown, nested: unknown, now: number): TokenAnswer {
  const failed = errorSchema.safeParse(body);
  if (failed.success) return { kind: "error", code: failed.data.error };
  if (status !== 200 && status !== 201) return { kind: "unusable" };
  for (const candidate of [nested, body]) {
    const parsed = answerSchema.safeParse(candidate);
    if (!parsed.success) continue;
    const { access_token, refresh_token, expires_in, scope } = parsed.data;
    return {
      kind: "tokens",
      tokens: { access_token, refresh_token, scope, expires_at: expiry(expires_in, access_token, now) },
    };
  }
  return { kind: "unusable" };
}

function expiry(expiresIn: number | null | undefined, accessToken: string, now: number): number | null {
  // Whole milliseconds: the column takes nothing else, and tokens that cannot be stored are lost.
  if (expiresIn !== null && expiresIn !== undefined && expiresIn > 0)
    return Math.round(now + expiresIn * 1000);
  const latest = now / 1000 + longestLife;
  const claims = z.looseObject({ exp: z.number().positive().max(latest) }).safeParse(jwtClaims(accessToken));
  return claims.success ? Math.round(claims.data.exp * 1000) : null;
}

/** The claims of a JWT, unverified: it is the service's token, and only its date is looked at. */
function jwtClaims(accessToken: string): unknown {
  const parts = accessToken.split(".");
  if (parts.length !== 3 || parts[1] === undefined) return undefined;
  try {
    return JSON.parse(atob(parts[1].replaceAll("-", "+").replaceAll("_", "/")));
  } catch {
    return undefined;
  }
}
