import { describe, expect, it } from "vitest";
import { fromUtf8, utf8 } from "../../src/lib/bytes.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { type EnvelopeContext, open, seal, USER_HELD_KID } from "../../src/vault/envelope.ts";
import { refusal, sealingKey, unsealable } from "./attempts.ts";
import {
  connection,
  context,
  dataKeyId,
  grant,
  key as credentialKey,
  seq,
  userHeldEnvelope,
} from "./vectors.ts";

const kid = USER_HELD_KID;
const flipped = (value: Uint8Array) => value.map((byte, at) => (at === 31 ? byte ^ 1 : byte));

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
