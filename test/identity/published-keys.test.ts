import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { clerkProfile, oidcProfile } from "../../src/identity/profiles.ts";
import { createVerifier, type Verifier } from "../../src/identity/verifier.ts";
import { systemClock } from "../../src/lib/clock.ts";
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
  let later = 0;
  const clock = () => systemClock() + later;
  const outbound: Outbound = async (url) => {
    fetched.push(url);
    return await answer();
  };
  const clerkHost = "clerk.example.com";
  const clerk = () =>
    clerkProfile(
      { publishableKey: `pk_test_${btoa(`${clerkHost}$`)}`, authorizedParties: ["https://bindify.example"] },
      { outbound, clock },
    );
  const oidc = () =>
    oidcProfile(
      { issuer: "https://id.example", jwksUrl: "https://id.example/keys", audience: "bindify" },
      { outbound, clock },
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
    expect(await verify(await sign(clerkClaims()))).toMatchObject({
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
    expect(await verify(await sign({ ...oidcClaims(), email: "a@b.example" })), "not said").toMatchObject({
      email: null,
    });
    await refusedBy(verify, { ...oidcClaims(), aud: "another" });
    await refusedBy(verify, { ...oidcClaims(), iss: "https://id.example/" });
    await refusedBy(verify, without(oidcClaims(), "aud"));
  });

  it("T80 a token of one issuer is not another's, though the key is the same", async () => {
    const verify = createVerifier([clerk(), oidc()]);
    expect(await verify(await sign(oidcClaims()))).toMatchObject({ issuer: "https://id.example" });
    await refusedBy(verify, { ...clerkClaims(), iss: "https://id.example" });
  });

  it("T81 a cold burst of 20 makes one fetch", async () => {
    const working = answer;
    answer = async () => {
      await new Promise((resolve) => setTimeout(resolve, 60));
      return await working();
    };
    const verify = createVerifier([oidc()]);
    fetched = [];
    const token = await sign(oidcClaims());
    const seen = await Promise.all(Array.from({ length: 20 }, async () => await verify(token)));
    answer = working;
    expect(seen.map(({ subject }) => subject)).toEqual(Array.from({ length: 20 }, () => "1"));
    expect(fetched).toHaveLength(1);
  });

  it("T81 a flood of unknown key ids makes one fetch in 30 s, also when it fails", async () => {
    const working = answer;
    const verify = createVerifier([oidc()]);
    await verify(await sign(oidcClaims()));
    const flood = async () => {
      fetched = [];
      for (let at = 0; at < 30; at++) {
        const token = await sign(oidcClaims(), `unknown-${at}`);
        await expect(verify(token)).rejects.toMatchObject({ name: "Fault" });
      }
      return fetched.length;
    };
    expect(await flood(), "the keys were read a moment ago").toBe(0);
    later += 31_000;
    expect(await flood()).toBe(1);
    later += 31_000;
    answer = async () => await Promise.reject(new OutboundError("unreachable"));
    expect(await flood()).toBe(1);
    answer = working;
    expect(await verify(await sign(oidcClaims())), "known keys go on").toMatchObject({ subject: "1" });
  });

  it("T81 a token of another issuer, or of no algorithm of ours, fetches nothing", async () => {
    const verify = createVerifier([oidc(), clerk()]);
    fetched = [];
    const publicKey = new TextEncoder().encode(jwks);
    const confused = await new SignJWT(oidcClaims())
      .setProtectedHeader({ alg: "HS256", kid: "k1" })
      .sign(publicKey);
    for (const token of [
      await sign({ ...oidcClaims(), iss: "https://evil.example" }),
      confused,
      "x.y.z",
      "",
    ]) {
      await expect(verify(token)).rejects.toMatchObject({ code: "unauthenticated" });
    }
    expect(fetched).toEqual([]);
  });

  it("a key that the issuer changed is found, and one that it took back is refused", async () => {
    const working = answer;
    const verify = createVerifier([oidc()]);
    await verify(await sign(oidcClaims()));
    answer = async () => new Response('{"keys":[]}');
    expect(await verify(await sign(oidcClaims()))).toMatchObject({ subject: "1" });
    later += 11 * 60_000;
    await refusedBy(verify, { ...oidcClaims(), iat: now() });
    answer = working;
    later += 31_000;
    expect(await verify(await sign(oidcClaims()))).toMatchObject({ subject: "1" });
  });

  it("tells tokens of one sign-in from those of another", async () => {
    const verify = createVerifier([oidc()]);
    const sessionOf = async (claims: JWTPayload) => (await verify(await sign(claims))).session;
    const one = await sessionOf({ ...oidcClaims(), sid: "one", iat: now() - 5 });
    expect(await sessionOf({ ...oidcClaims(), sid: "one" })).toBe(one);
    expect(await sessionOf({ ...oidcClaims(), sid: "two" })).not.toBe(one);
    expect(await sessionOf({ ...oidcClaims(), auth_time: 5, iat: now() - 5 })).toBe(
      await sessionOf({ ...oidcClaims(), auth_time: 5 }),
    );
    expect(await sessionOf({ ...oidcClaims(), jti: "a" })).not.toBe(
      await sessionOf({ ...oidcClaims(), jti: "b" }),
    );
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
