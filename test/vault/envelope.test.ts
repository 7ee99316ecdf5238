import * as fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { concat, fromUtf8, toHex, utf8 } from "../../src/lib/bytes.ts";
import { systemRandom } from "../../src/lib/random.ts";
import {
  deriveSealingKey,
  importKeyMaterial,
  type Purpose,
  type SealingKey,
} from "../../src/vault/derive.ts";
import {
  type EnvelopeContext,
  open,
  readHeader,
  seal,
  USER_HELD_KID,
  VaultError,
} from "../../src/vault/envelope.ts";
import {
  connection,
  context,
  dataKeyBytes,
  dataKeyId,
  grant,
  key as credentialKey,
  managedEnvelope,
  nonce,
  scripted,
  seq,
  userHeldEnvelope,
} from "./vectors.ts";

const kid = USER_HELD_KID;
const sealingKey = async (bytes = credentialKey, purpose: Purpose = "grant", salt = connection) =>
  deriveSealingKey(await importKeyMaterial(bytes), salt, purpose);

/** What a failed `open` says; fails where it does not fail. */
async function refusal(attempt: Promise<unknown>): Promise<VaultError> {
  const result = await attempt.then(
    () => "it opened",
    (error: unknown) => error,
  );
  if (result instanceof VaultError) return result;
  throw new Error(`expected a VaultError, got: ${String(result)}`);
}

const bytes = (length: number) => fc.uint8Array({ maxLength: length }).map((value) => new Uint8Array(value));
const flipped = (value: Uint8Array) => value.map((byte, at) => (at === 31 ? byte ^ 1 : byte));

async function noncesOf(key: SealingKey, count: number): Promise<Set<string>> {
  const seen = new Set<string>();
  const plaintext = new Uint8Array(1);
  for (let sealed = 0; sealed < count; sealed += 1000) {
    const batch = Array.from({ length: 1000 }, () =>
      seal({ key, kid, context, plaintext, random: systemRandom }),
    );
    for (const envelope of await Promise.all(batch)) seen.add(toHex(envelope.subarray(10, 22)));
  }
  return seen;
}

const unsealable = {
  code: "unsealable",
  message: "the sealed data does not open with this key in this place",
};
const unknownFormat = {
  code: "unknown_format",
  message: "the sealed data has an unknown version or algorithm",
};

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

describe("another place", () => {
  /** One entry per field of the context: the compiler asks for a new one when a field is added. */
  const elsewhere: { readonly [Field in keyof EnvelopeContext]: readonly EnvelopeContext[Field][] } = {
    environment: ["test"],
    connectionId: ["con_7Zk2vQ9xW5", "", `${connection} `],
    workspaceId: ["wsp_3Hn9", ""],
    serviceId: ["notion", "Linear", ""],
    storage: ["managed", "deployment"],
    lookup: [flipped(context.lookup), context.verifier, new Uint8Array(0)],
    verifier: [flipped(context.verifier), context.lookup, context.verifier.slice(0, 31)],
    purpose: ["legacy-endpoint", "data-key", "client-secret", "pkce-verifier"],
    generation: [6, 8, 0, 70, -7, Number.NaN],
  };
  const swaps = Object.entries(elsewhere).flatMap(([field, values]) =>
    values.map((value, at) => ({ field, at, changed: { ...context, [field]: value } })),
  );

  it.each(swaps)("T4 T5 T6 T7 does not open with another $field (#$at)", async ({ changed }) => {
    const key = await sealingKey();
    const error = await refusal(open({ key, kid, context: changed, envelope: userHeldEnvelope }));
    expect(error).toMatchObject(unsealable);
  });

  it("T4 does not open with the key of another connection", async () => {
    const key = await sealingKey(credentialKey, "grant", "con_other");
    expect(await refusal(open({ key, kid, context, envelope: userHeldEnvelope }))).toMatchObject(unsealable);
  });

  it("T5 a holder who writes a lookup and verifier of their own into the row opens nothing", async () => {
    const own = { ...context, lookup: seq(1, 32), verifier: seq(2, 32) };
    const key = await sealingKey(seq(0x70, 32));
    const attempt = open({ key, kid, context: own, envelope: userHeldEnvelope });
    expect(await refusal(attempt)).toMatchObject(unsealable);
  });

  it("T6 does not open with the key of another purpose", async () => {
    const key = await sealingKey(credentialKey, "legacy-endpoint");
    expect(await refusal(open({ key, kid, context, envelope: userHeldEnvelope }))).toMatchObject(unsealable);
  });

  it("T7 the previous generation's envelope does not open under the present row", async () => {
    const key = await sealingKey();
    const previous = { ...context, generation: context.generation - 1 };
    const envelope = await seal({
      key,
      kid,
      context: previous,
      plaintext: utf8(grant),
      random: systemRandom,
    });
    expect(await refusal(open({ key, kid, context, envelope }))).toMatchObject(unsealable);
    expect(fromUtf8(await open({ key, kid, context: previous, envelope }))).toBe(grant);
  });

  it("T4 a character moved across the border of two fields is another context", async () => {
    const key = await sealingKey();
    const fields = { workspaceId: "wsp_ab", serviceId: "c" };
    const args = { key, kid, context: { ...context, ...fields } };
    const envelope = await seal({ ...args, plaintext: utf8(grant), random: systemRandom });
    const moved = { ...context, workspaceId: "wsp_a", serviceId: "bc" };
    expect(await refusal(open({ key, kid, context: moved, envelope }))).toMatchObject(unsealable);
  });

  it("every mismatch is one error: code, message, and no cause to tell them apart", async () => {
    const key = await sealingKey();
    const wrongTag = userHeldEnvelope.with(userHeldEnvelope.length - 1, 0x00);
    const errors = [
      await refusal(open({ key, kid, context, envelope: wrongTag })),
      await refusal(open({ key, kid, context, envelope: userHeldEnvelope.slice(0, 30) })),
      await refusal(open({ key, kid: dataKeyId, context, envelope: userHeldEnvelope })),
      await refusal(open({ key, kid, context: { ...context, generation: 8 }, envelope: userHeldEnvelope })),
      await refusal(open({ key: await sealingKey(seq(9, 32)), kid, context, envelope: userHeldEnvelope })),
    ];
    for (const { name, code, message, cause } of errors) {
      expect({ name, code, message, cause }).toEqual({ name: "VaultError", ...unsealable, cause: undefined });
    }
  });
});

describe("nonces", () => {
  const SEALS = 100_000;

  it("T10 do not repeat in 100,000 seals", { timeout: 60_000 }, async () => {
    expect((await noncesOf(await sealingKey(), SEALS)).size).toBe(SEALS);
  });

  it("T10 come from the parameter alone: 12 bytes, once for each seal", async () => {
    const sources = [
      vi.spyOn(crypto, "getRandomValues"),
      vi.spyOn(crypto, "randomUUID"),
      vi.spyOn(crypto.subtle, "generateKey"),
      vi.spyOn(Math, "random"),
      vi.spyOn(Date, "now"),
    ];
    const key = await sealingKey();
    const random = vi.fn(scripted(nonce, seq(0x10, 12)));
    const args = { key, kid, context, plaintext: utf8(grant), random };
    expect(await seal(args)).toEqual(userHeldEnvelope);
    expect((await seal(args)).subarray(10, 22)).toEqual(seq(0x10, 12));
    expect(random.mock.calls).toEqual([[12], [12]]);
    for (const source of sources) expect(source).not.toHaveBeenCalled();
  });
});
