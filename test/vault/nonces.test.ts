import { afterEach, describe, expect, it, vi } from "vitest";
import { toHex, utf8 } from "../../src/lib/bytes.ts";
import { systemRandom } from "../../src/lib/random.ts";
import type { SealingKey } from "../../src/vault/derive.ts";
import { seal, USER_HELD_KID } from "../../src/vault/envelope.ts";
import { sealingKey } from "./attempts.ts";
import { context, grant, nonce, scripted, seq, userHeldEnvelope } from "./vectors.ts";

const kid = USER_HELD_KID;

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

afterEach(() => {
  vi.restoreAllMocks();
});

describe("nonces", () => {
  const SEALS = 100_000;

  it("T10 do not repeat in 100,000 seals", async () => {
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
