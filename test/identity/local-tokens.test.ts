import { env } from "cloudflare:workers";
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { describe, expect, it } from "vitest";
import { localProfile } from "../../src/identity/profiles.ts";
import { createVerifier } from "../../src/identity/verifier.ts";
import { utf8 } from "../../src/lib/bytes.ts";
import { localClaims, publicIdentityKey, signByHand, signLocal, without } from "../support/tokens.ts";

const now = () => Math.floor(Date.now() / 1000);

describe("T80 local tokens", () => {
  const verify = createVerifier([localProfile(publicIdentityKey, env.PUBLIC_URL)]);
  const claims = localClaims("owner");

  it("of the key pair that npm start made are accepted", async () => {
    expect(await verify(await signLocal(claims))).toMatchObject({
      issuer: "urn:bindify:local",
      subject: "owner",
      email: "owner@localhost",
    });
  });

  /** A token whose header says what an attacker wants, signed with the real key all the same. */
  const crafted = async (header: Record<string, unknown>) => await signLocal(claims, header);
  const foreign = async (header: Record<string, unknown> = {}) => {
    const { privateKey } = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
    return await new SignJWT(claims)
      .setProtectedHeader({ alg: "EdDSA", kid: publicIdentityKey.kid, ...header })
      .sign(privateKey);
  };
  const tampered = async () => {
    const [header, , signature] = (await signLocal(claims)).split(".");
    return [header, btoa(JSON.stringify({ ...claims, sub: "somebody" })).replace(/=+$/, ""), signature].join(
      ".",
    );
  };

  const refused: readonly (readonly [string, () => Promise<string> | string])[] = [
    ["alg none", () => new UnsecuredJWT(claims).encode()],
    [
      "HS256 with the public key as the secret",
      async () =>
        await new SignJWT(claims)
          .setProtectedHeader({ alg: "HS256", kid: publicIdentityKey.kid })
          .sign(utf8(env.LOCAL_IDENTITY_KEY)),
    ],
    [
      "HS256 with the key's bytes as the secret",
      async () =>
        await new SignJWT(claims)
          .setProtectedHeader({ alg: "HS256", kid: publicIdentityKey.kid })
          .sign(utf8(publicIdentityKey.x)),
    ],
    ["another key under the same kid", async () => await foreign()],
    [
      "a key of its own in the header",
      async () => {
        const { publicKey } = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
        return await foreign({ jwk: await exportJWK(publicKey) });
      },
    ],
    ["a jku", async () => await foreign({ jku: "https://evil.example/jwks" })],
    ["an x5u", async () => await foreign({ x5u: "https://evil.example/cert" })],
    [
      "an unknown crit",
      async () => await crafted({ crit: ["exp"], exp: now() + 60 }).catch(() => craftCrit()),
    ],
    ["a changed payload", tampered],
    ["an unknown kid", async () => await crafted({ kid: "another" })],
    ["another issuer", async () => await signLocal({ ...claims, iss: "https://evil.example" })],
    [
      "an issuer that differs in a slash",
      async () => await signLocal({ ...claims, iss: "urn:bindify:local/" }),
    ],
    ["no issuer", async () => await signLocal(without(claims, "iss"))],
    ["another audience", async () => await signLocal({ ...claims, aud: "https://other.example" })],
    ["no audience", async () => await signLocal(without(claims, "aud"))],
    ["no exp", async () => await signLocal(without(claims, "exp"))],
    ["an exp that is text", async () => await signByHand({ ...claims, exp: "never" })],
    ["expired", async () => await signLocal({ ...claims, exp: now() - 30 })],
    ["not yet valid", async () => await signLocal({ ...claims, nbf: now() + 300 })],
    ["no sub", async () => await signLocal(without(claims, "sub"))],
    ["an empty sub", async () => await signLocal({ ...claims, sub: "" })],
    ["a sub that is too long", async () => await signLocal({ ...claims, sub: "x".repeat(256) })],
    ["a pending session", async () => await signLocal({ ...claims, sts: "pending" })],
    ["nothing", () => ""],
    ["two parts", () => "a.b"],
    ["an encrypted token's shape", () => "a.b.c.d.e"],
    ["a megabyte", () => `${"a".repeat(1_000_000)}.b.c`],
  ];

  it.each(refused)("%s is refused, without saying why", async (_, token) => {
    await expect(verify(await token())).rejects.toMatchObject({
      code: "unauthenticated",
      message: "unauthenticated",
    });
  });

  it("an address that is not verified is not the person's", async () => {
    expect(await verify(await signLocal({ ...claims, email_verified: false }))).toMatchObject({
      email: null,
    });
    expect(await verify(await signLocal({ ...claims, email: 5 }))).toMatchObject({ email: null });
  });

  it("no issuer configured: nobody gets in", async () => {
    await expect(createVerifier([])(await signLocal(claims))).rejects.toMatchObject({
      code: "unauthenticated",
    });
  });

  async function craftCrit(): Promise<string> {
    return await signByHand({ ...claims }, { crit: ["urn:evil"], "urn:evil": true });
  }

  it("signed by hand is accepted where it is right, so that the refusals above mean something", async () => {
    expect(await verify(await signByHand({ ...claims }))).toMatchObject({ subject: "owner" });
    await expect(verify(await craftCrit())).rejects.toMatchObject({ code: "unauthenticated" });
  });
});
