import * as fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { concat, fromUtf8, toHex, utf8 } from "../../src/lib/bytes.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { type EnvelopeContext, open, readHeader, seal, USER_HELD_KID } from "../../src/vault/envelope.ts";
import { refusal, sealingKey, unknownFormat, unsealable } from "./attempts.ts";
import {
  context,
  dataKeyBytes,
  dataKeyId,
  grant,
  managedEnvelope,
  nonce,
  scripted,
  seq,
  userHeldEnvelope,
} from "./vectors.ts";

const kid = USER_HELD_KID;
const bytes = (length: number) => fc.uint8Array({ maxLength: length }).map((value) => new Uint8Array(value));

afterEach(() => {
  vi.restoreAllMocks();
});

describe("the format", () => {
  it("T19 pins a user-held envelope", async () => {
    const key = await sealingKey();
    const envelope = await seal({ key, kid, context, plaintext: utf8(grant), random: scripted(nonce) });
    expect(toHex(envelope)).toBe(toHex(userHeldEnvelope));
    expect(fromUtf8(await open({ key, kid, context, envelope: userHeldEnvelope }))).toBe(grant);
  });

  it("T19 pins a managed envelope", async () => {
    const key = await sealingKey(dataKeyBytes);
    const managed = { ...context, storage: "managed" } as const;
    const args = { key, kid: dataKeyId, context: managed };
    const envelope = await seal({ ...args, plaintext: utf8(grant), random: scripted(nonce) });
    expect(toHex(envelope)).toBe(toHex(managedEnvelope));
    expect(fromUtf8(await open({ ...args, envelope: managedEnvelope }))).toBe(grant);
    expect(readHeader(managedEnvelope).kid).toEqual(dataKeyId);
  });

  it("refuses to seal under a key id or a generation that has no place in it", async () => {
    const key = await sealingKey();
    const args = { key, kid, context, plaintext: utf8(grant), random: systemRandom };
    await expect(seal({ ...args, kid: seq(0, 7) })).rejects.toThrow(RangeError);
    for (const generation of [-1, 0.5, Number.NaN, 2 ** 53]) {
      await expect(seal({ ...args, context: { ...context, generation } })).rejects.toThrow(RangeError);
    }
  });

  it("opens what it sealed, whatever the plaintext and the context", async () => {
    const anyContext: fc.Arbitrary<EnvelopeContext> = fc.record({
      environment: fc.constantFrom("live", "test"),
      connectionId: fc.string({ unit: "grapheme" }),
      workspaceId: fc.string(),
      serviceId: fc.string(),
      storage: fc.constantFrom("zero_knowledge", "managed", "deployment"),
      lookup: bytes(32),
      verifier: bytes(32),
      purpose: fc.constantFrom("grant", "legacy-endpoint", "data-key", "client-secret", "pkce-verifier"),
      generation: fc.maxSafeNat(),
    });
    const key = await sealingKey();
    await fc.assert(
      fc.asyncProperty(bytes(300), anyContext, async (plaintext, anywhere) => {
        const envelope = await seal({ key, kid, context: anywhere, plaintext, random: systemRandom });
        expect(envelope.length).toBe(plaintext.length + 38);
        expect(await open({ key, kid, context: anywhere, envelope })).toEqual(plaintext);
      }),
    );
  });
});

describe("a changed envelope", () => {
  it("T8 every flipped byte, every bit of it, is refused: byte 0 and 1 as unknown, all else as a mismatch", async () => {
    const key = await sealingKey();
    for (let at = 0; at < userHeldEnvelope.length; at++) {
      for (const mask of [1, 2, 4, 8, 16, 32, 64, 128, 255]) {
        const envelope = userHeldEnvelope.slice();
        envelope[at] = (envelope[at] ?? 0) ^ mask;
        const error = await refusal(open({ key, kid, context, envelope }));
        expect(error, `byte ${at}, mask ${mask}`).toMatchObject(at < 2 ? unknownFormat : unsealable);
      }
    }
  });

  it("T8 every truncation and every extension is refused", async () => {
    const key = await sealingKey();
    for (let length = 0; length < userHeldEnvelope.length; length++) {
      const envelope = userHeldEnvelope.slice(0, length);
      const error = await refusal(open({ key, kid, context, envelope }));
      expect(error, `${length} bytes`).toMatchObject(length < 2 ? unknownFormat : unsealable);
    }
    const longer = concat(userHeldEnvelope, Uint8Array.of(0));
    expect(await refusal(open({ key, kid, context, envelope: longer }))).toMatchObject(unsealable);
  });

  it("T8 no mutation opens", async () => {
    const key = await sealingKey();
    const change = fc.tuple(fc.nat({ max: userHeldEnvelope.length - 1 }), fc.integer({ min: 1, max: 255 }));
    const changes = fc.uniqueArray(change, { minLength: 1, maxLength: 8, selector: ([at]) => at });
    await fc.assert(
      fc.asyncProperty(changes, async (list) => {
        const envelope = userHeldEnvelope.slice();
        for (const [at, mask] of list) envelope[at] = (envelope[at] ?? 0) ^ mask;
        await refusal(open({ key, kid, context, envelope }));
      }),
    );
  });

  it("T9 an unknown version or algorithm is a typed failure, with no decryption tried", async () => {
    const key = await sealingKey();
    const decrypt = vi.spyOn(crypto.subtle, "decrypt");
    for (const at of [0, 1]) {
      for (let value = 0; value < 256; value++) {
        if (value === 1) continue;
        const envelope = userHeldEnvelope.slice();
        envelope[at] = value;
        expect(await refusal(open({ key, kid, context, envelope }))).toMatchObject(unknownFormat);
        expect(() => readHeader(envelope)).toThrow(unknownFormat.message);
      }
    }
    expect(decrypt).not.toHaveBeenCalled();
    await open({ key, kid, context, envelope: userHeldEnvelope });
    expect(decrypt).toHaveBeenCalledTimes(1);
  });

  it("T9 an envelope of another key id is refused, with no decryption tried, though the key would fit", async () => {
    const key = await sealingKey();
    const decrypt = vi.spyOn(crypto.subtle, "decrypt");
    const error = await refusal(open({ key, kid: dataKeyId, context, envelope: userHeldEnvelope }));
    expect(error).toMatchObject(unsealable);
    expect(decrypt).not.toHaveBeenCalled();
  });
});
