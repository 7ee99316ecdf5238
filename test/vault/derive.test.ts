import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { toBase64Url, toHex } from "../../src/lib/bytes.ts";
import {
  deriveSealingKey,
  deriveVerifier,
  importKeyMaterial,
  lookupOf,
  type Purpose,
} from "../../src/vault/derive.ts";
import { aesGcmEncrypt } from "../../src/vault/primitives.ts";
import { connection, id, key, lookup, nonce, sealingKeys, seq, verifier } from "./vectors.ts";

const purposes: readonly Purpose[] = [
  "grant",
  "legacy-endpoint",
  "data-key",
  "client-secret",
  "pkce-verifier",
];
const nothing = new Uint8Array(0);

describe("derivations", () => {
  it("T19 pins the lookup and the verifier", async () => {
    expect(toHex(await lookupOf({ id, key }))).toBe(toHex(lookup));
    expect(toHex(await deriveVerifier(await importKeyMaterial(key), connection))).toBe(toHex(verifier));
  });

  it.each(purposes)("T19 pins the sealing key of %s", async (purpose) => {
    const derived = await deriveSealingKey(await importKeyMaterial(key), connection, purpose);
    const literal = await crypto.subtle.importKey("raw", sealingKeys[purpose], "AES-GCM", false, ["encrypt"]);
    expect(await aesGcmEncrypt(derived.aesGcm, nonce, nothing, seq(0, 40))).toEqual(
      await aesGcmEncrypt(literal, nonce, nothing, seq(0, 40)),
    );
  });

  it("T11 a second half that differs in one bit has another verifier", async () => {
    for (let bit = 0; bit < 256; bit++) {
      const wrong = key.slice();
      wrong[bit >> 3] = (wrong[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(await deriveVerifier(await importKeyMaterial(wrong), connection)).not.toEqual(verifier);
    }
  });

  it("the verifier is of one connection, the lookup of one id", async () => {
    const material = await importKeyMaterial(key);
    expect(await deriveVerifier(material, `${connection}x`)).not.toEqual(verifier);
    expect(await lookupOf({ id: key, key })).not.toEqual(lookup);
    // The second half plays no part in the lookup: whoever sees lookups learns nothing about keys.
    expect(await lookupOf({ id, key: id })).toEqual(lookup);
  });

  it("both derivations use the key that was imported once", async () => {
    const importKey = vi.spyOn(crypto.subtle, "importKey");
    const material = await importKeyMaterial(key);
    await deriveVerifier(material, connection);
    await deriveSealingKey(material, connection, "grant");
    expect(importKey).toHaveBeenCalledTimes(1);
    importKey.mockRestore();
  });

  it("T3 what is stored of a credential holds neither half, in any spelling", async () => {
    const half = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => new Uint8Array(bytes));
    await fc.assert(
      fc.asyncProperty(half, half, async (anyId, anyKey) => {
        const stored = [
          await lookupOf({ id: anyId, key: anyKey }),
          await deriveVerifier(await importKeyMaterial(anyKey), connection),
        ];
        for (const value of stored) {
          expect([toHex(anyId), toHex(anyKey)]).not.toContain(toHex(value));
          expect([toBase64Url(anyId), toBase64Url(anyKey)]).not.toContain(toBase64Url(value));
        }
      }),
    );
  });
});
