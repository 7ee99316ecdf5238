import { env } from "cloudflare:workers";
import { importJWK, SignJWT, type JWTPayload } from "jose";
import { z } from "zod";
import { toBase64Url, utf8 } from "../../src/lib/bytes.ts";

const identityKey = z
  .object({ kty: z.string(), crv: z.string(), x: z.string(), d: z.string(), kid: z.string() })
  .parse(JSON.parse(env.TEST_IDENTITY_KEY));

/** The claims that `npm start` and `npm run token` give a person of a local deployment. */
export function localClaims(subject: string): JWTPayload {
  const now = Math.floor(Date.now() / 1000);
  return {
    iss: "urn:bindify:local",
    aud: env.PUBLIC_URL,
    sub: subject,
    sid: "test-session",
    iat: now,
    exp: now + 3600,
    email: `${subject}@localhost`,
  };
}

/** A token of the local identity with exactly these claims, signed with its real key. */
export async function signLocal(claims: JWTPayload, header: Record<string, unknown> = {}): Promise<string> {
  const key = await importJWK(identityKey, "EdDSA");
  return await new SignJWT(claims)
    .setProtectedHeader({ alg: "EdDSA", kid: identityKey.kid, ...header })
    .sign(key);
}

export const publicIdentityKey = { kty: "OKP", crv: "Ed25519", x: identityKey.x, kid: identityKey.kid };

const part = (value: object) => toBase64Url(utf8(JSON.stringify(value)));

/** The same, signed by hand: libraries refuse to make some tokens that an attacker can make. */
export async function signByHand(
  claims: Record<string, unknown>,
  header: Record<string, unknown> = {},
): Promise<string> {
  const text = `${part({ alg: "EdDSA", kid: identityKey.kid, ...header })}.${part(claims)}`;
  const key = await importJWK(identityKey, "EdDSA");
  if (!(key instanceof CryptoKey)) throw new TypeError("not a private key");
  return `${text}.${toBase64Url(new Uint8Array(await crypto.subtle.sign("Ed25519", key, utf8(text))))}`;
}

export function without(claims: JWTPayload, name: string): JWTPayload {
  return Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name));
}
