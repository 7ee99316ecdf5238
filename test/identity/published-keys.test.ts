import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { clerkProfile, createVerifier, oidcProfile, type Verifier } from "../../src/identity/verifier.ts";
import { OutboundError, type Outbound } from "../../src/lib/outbound.ts";
import { without } from "../support/tokens.ts";

const now = () => Math.floor(Date.now() / 1000);
const oidcClaims = () => ({
  iss: "https://id.example",
  sub: "1",
  aud: "bindify",
  iat: now(),
  exp: now() + 60,
});

describe("issuers that publish their keys", () => {
  let privateKey: CryptoKey;
  let jwks: string;
  let fetched: string[] = [];
  let answer: () => Promise<Response>;
  const outbound: Outbound = async (url) => {
    fetched.push(url);
    return await answer();
  };
  const clerkHost = "clerk.example.com";
  const clerk = () =>
    clerkProfile(
      { publishableKey: `pk_test_${btoa(`${clerkHost}$`)}`, authorizedParties: ["https://bindify.example"] },
      outbound,
    );
  const oidc = () =>
    oidcProfile(
      { issuer: "https://id.example", jwksUrl: "https://id.example/keys", audience: "bindify" },
      outbound,
    );
  const sign = async (payload: JWTPayload, kid = "k1") =>
    await new SignJWT(payload).setProtectedHeader({ alg: "RS256", kid }).sign(privateKey);
  const clerkClaims = () => ({
    iss: `https://${clerkHost}`,
    sub: "user_1",
    azp: "https://bindify.example",
    iat: now(),
    exp: now() + 60,
    sts: "active",
    v: 2,
  });

  beforeAll(async () => {
    const pair = await generateKeyPair("RS256", { extractable: true });
    ({ privateKey } = pair);
    jwks = JSON.stringify({
      keys: [{ ...(await exportJWK(pair.publicKey)), kid: "k1", alg: "RS256", use: "sig" }],
    });
    answer = async () => new Response(jwks, { headers: { "content-type": "application/json" } });
  });

  const refusedBy = async (verify: Verifier, payload: JWTPayload) =>
    await expect(verify(await sign(payload))).rejects.toMatchObject({ code: "unauthenticated" });

  it("T80 Clerk: the host in the publishable key, azp of ours, no pending session", async () => {
    fetched = [];
    const verify = createVerifier([clerk()]);
    expect(await verify(await sign(clerkClaims()))).toEqual({
      issuer: `https://${clerkHost}`,
      subject: "user_1",
      email: null,
    });
    expect(fetched).toEqual([`https://${clerkHost}/.well-known/jwks.json`]);
    await refusedBy(verify, { ...clerkClaims(), azp: "https://evil.example" });
    await refusedBy(verify, without(clerkClaims(), "azp"));
    await refusedBy(verify, { ...clerkClaims(), sts: "pending" });
    await refusedBy(verify, { ...clerkClaims(), iss: "https://other.clerk.example" });
    await refusedBy(verify, { ...clerkClaims(), exp: now() - 60 });
  });

  it("T80 OIDC: issuer and audience exactly", async () => {
    const verify = createVerifier([oidc()]);
    expect(
      await verify(await sign({ ...oidcClaims(), email: "a@b.example", email_verified: true })),
    ).toMatchObject({ email: "a@b.example" });
    await refusedBy(verify, { ...oidcClaims(), aud: "another" });
    await refusedBy(verify, { ...oidcClaims(), iss: "https://id.example/" });
    await refusedBy(verify, without(oidcClaims(), "aud"));
  });

  it("T80 a token of one issuer is not another's, though the key is the same", async () => {
    const verify = createVerifier([clerk(), oidc()]);
    expect(await verify(await sign(oidcClaims()))).toMatchObject({ issuer: "https://id.example" });
    await refusedBy(verify, { ...clerkClaims(), iss: "https://id.example" });
  });

  it("T81 a flood of unknown key ids makes one fetch", async () => {
    const verify = createVerifier([oidc()]);
    await verify(await sign(oidcClaims()));
    fetched = [];
    for (let at = 0; at < 30; at++) {
      const token = await sign(oidcClaims(), `unknown-${at}`);
      await expect(verify(token)).rejects.toMatchObject({ code: "unauthenticated" });
    }
    expect(fetched.length).toBeLessThanOrEqual(1);
  });

  it("keys that cannot be fetched let nobody in", async () => {
    const working = answer;
    for (const fault of [
      async () => await Promise.reject(new OutboundError("unreachable")),
      async () => new Response("<html>", { status: 200 }),
      async () => new Response("{}", { status: 500 }),
      async () => new Response(null, { status: 302, headers: { location: "https://evil.example" } }),
      async () => new Response('{"keys":"none"}'),
    ]) {
      answer = fault;
      await expect(createVerifier([oidc()])(await sign(oidcClaims()))).rejects.toThrow();
    }
    answer = working;
  });
});
