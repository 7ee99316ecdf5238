import { afterEach, describe, expect, it, vi } from "vitest";
import { fromUtf8, toHex, utf8 } from "../../src/lib/bytes.ts";
import { systemRandom } from "../../src/lib/random.ts";
import {
  createDataKey,
  type DataKey,
  DEPLOYMENT,
  openForDeployment,
  rewrapDataKey,
  sealForDeployment,
  unwrapDataKey,
  wrapDataKey,
} from "../../src/vault/data-key.ts";
import { deriveSealingKey } from "../../src/vault/derive.ts";
import { open, readHeader } from "../../src/vault/envelope.ts";
import { type Keyring, parseKeyring } from "../../src/vault/keyring.ts";
import { refusal } from "./attempts.ts";
import { reachableText } from "./reachable.ts";
import {
  connection,
  context,
  dataKeyBytes,
  dataKeyId,
  deploymentEnvelope,
  grant,
  managedEnvelope,
  masterKeyFingerprint,
  masterKeyHex,
  nonce,
  scripted,
  seq,
  workspace,
  wrappedDataKey,
} from "./vectors.ts";

const otherKeyHex = "c3".repeat(32);

async function keyringOf(...keys: string[]): Promise<Keyring> {
  const keyring = await parseKeyring({ keys: JSON.stringify(keys.map((key) => ({ key }))) });
  if (!keyring) throw new Error("no keyring");
  return keyring;
}

const openGrant = async (dataKey: DataKey) =>
  fromUtf8(
    await open({
      key: await deriveSealingKey(dataKey.material, connection, "grant"),
      kid: dataKey.id,
      context: { ...context, storage: "managed" },
      envelope: managedEnvelope,
    }),
  );

const code = async (attempt: Promise<unknown>) => (await refusal(attempt)).code;

afterEach(() => {
  vi.restoreAllMocks();
});

describe("wrapping a data key", () => {
  it("T19 pins the wrapped form, whose kid is the master key's fingerprint", async () => {
    const { active } = await keyringOf(masterKeyHex);
    const dataKey = await createDataKey(scripted(dataKeyId, dataKeyBytes));
    const wrapped = await wrapDataKey(dataKey, workspace, active, "live", scripted(nonce));
    expect(toHex(wrapped)).toBe(toHex(wrappedDataKey));
    expect(toHex(readHeader(wrapped).kid)).toBe(masterKeyFingerprint);
  });

  it("a new data key and the unwrapped one open the same blobs", async () => {
    const keyring = await keyringOf(masterKeyHex);
    expect(await openGrant(await createDataKey(scripted(dataKeyId, dataKeyBytes)))).toBe(grant);
    expect(await openGrant(await unwrapDataKey(wrappedDataKey, dataKeyId, workspace, keyring, "live"))).toBe(
      grant,
    );
  });

  it("draws 8 bytes of id, 32 of key and 12 of nonce, from the parameter alone", async () => {
    const system = vi.spyOn(crypto, "getRandomValues");
    const { active } = await keyringOf(masterKeyHex);
    const random = vi.fn(scripted(dataKeyId, dataKeyBytes, nonce));
    await wrapDataKey(await createDataKey(random), workspace, active, "live", random);
    expect(random.mock.calls).toEqual([[8], [32], [12]]);
    expect(system).not.toHaveBeenCalled();
  });

  it("T2 T18 no property of a data key, new or unwrapped, leads to its bytes", async () => {
    const keyring = await keyringOf(masterKeyHex);
    const fresh = await createDataKey(scripted(dataKeyId, dataKeyBytes));
    const unwrapped = await unwrapDataKey(wrappedDataKey, dataKeyId, workspace, keyring, "live");
    for (const dataKey of [fresh, unwrapped]) {
      const shown = [JSON.stringify(dataKey), ...reachableText(dataKey)].join("\n");
      expect(shown).toContain(toHex(dataKeyId));
      expect(shown).not.toContain(toHex(dataKeyBytes).slice(0, 8));
      await expect(crypto.subtle.exportKey("raw", dataKey.material.hkdf)).rejects.toThrow();
    }
  });
});

describe("unwrapping a data key", () => {
  it("T2 T9 without its master key it is unknown_key: no other key and no decryption is tried", async () => {
    const keyring = await keyringOf(otherKeyHex);
    const decrypt = vi.spyOn(crypto.subtle, "decrypt");
    const derive = vi.spyOn(crypto.subtle, "deriveKey");
    expect(await code(unwrapDataKey(wrappedDataKey, dataKeyId, workspace, keyring, "live"))).toBe(
      "unknown_key",
    );
    expect(decrypt).not.toHaveBeenCalled();
    expect(derive).not.toHaveBeenCalled();
  });

  it("T9 a wrapping that was renamed to a loaded fingerprint does not open, nor fall back to the other", async () => {
    const keyring = await keyringOf(masterKeyHex, otherKeyHex);
    const decrypt = vi.spyOn(crypto.subtle, "decrypt");
    const renamed = wrappedDataKey.slice();
    renamed.set(keyring.active.kid, 2);
    expect(await code(unwrapDataKey(renamed, dataKeyId, workspace, keyring, "live"))).toBe("unsealable");
    expect(decrypt).toHaveBeenCalledTimes(1);
  });

  it("T9 an unknown version or algorithm is unknown_format", async () => {
    const keyring = await keyringOf(masterKeyHex);
    for (const at of [0, 1]) {
      const attempt = unwrapDataKey(wrappedDataKey.with(at, 2), dataKeyId, workspace, keyring, "live");
      expect(await code(attempt)).toBe("unknown_format");
    }
  });

  it("T8 every flipped byte is refused", async () => {
    const keyring = await keyringOf(masterKeyHex);
    for (let at = 0; at < wrappedDataKey.length; at++) {
      const envelope = wrappedDataKey.with(at, (wrappedDataKey[at] ?? 0) ^ 0x10);
      const expected = at < 2 ? "unknown_format" : at < 10 ? "unknown_key" : "unsealable";
      const attempt = unwrapDataKey(envelope, dataKeyId, workspace, keyring, "live");
      expect(await code(attempt), `byte ${at}`).toBe(expected);
    }
  });

  it("T4 a wrapping under another id, owner or environment does not open", async () => {
    const keyring = await keyringOf(masterKeyHex);
    const attempts = [
      unwrapDataKey(wrappedDataKey, seq(0xd1, 8), workspace, keyring, "live"),
      unwrapDataKey(wrappedDataKey, dataKeyId, "wsp_other", keyring, "live"),
      unwrapDataKey(wrappedDataKey, dataKeyId, DEPLOYMENT, keyring, "live"),
      unwrapDataKey(wrappedDataKey, dataKeyId, workspace, keyring, "test"),
    ];
    expect(await Promise.all(attempts.map(code))).toEqual(Array.from({ length: 4 }, () => "unsealable"));
  });
});

describe("rewrapping for another master key", () => {
  it("adds a wrapping that works with the other key alone, while the old one goes on working", async () => {
    const both = await keyringOf(masterKeyHex, otherKeyHex);
    const [before, after] = [await keyringOf(masterKeyHex), await keyringOf(otherKeyHex)];
    const wrapped = await rewrapDataKey({
      wrapped: wrappedDataKey,
      dataKeyId,
      owner: workspace,
      keyring: both,
      target: both.active,
      environment: "live",
      random: systemRandom,
    });
    expect(await openGrant(await unwrapDataKey(wrapped, dataKeyId, workspace, after, "live"))).toBe(grant);
    expect(await openGrant(await unwrapDataKey(wrappedDataKey, dataKeyId, workspace, before, "live"))).toBe(
      grant,
    );
    expect(await code(unwrapDataKey(wrapped, dataKeyId, workspace, before, "live"))).toBe("unknown_key");
  });

  it("T9 needs the key that the wrapping names", async () => {
    const keyring = await keyringOf(otherKeyHex);
    const target = keyring.active;
    const args = {
      wrapped: wrappedDataKey,
      dataKeyId,
      owner: workspace,
      environment: "live",
      random: systemRandom,
    } as const;
    expect(await code(rewrapDataKey({ ...args, keyring, target }))).toBe("unknown_key");
  });
});

describe("the deployment's own secrets", () => {
  const record = { environment: "live", recordId: "reg_5Tq1", purpose: "client-secret" } as const;

  it("T19 pins the sealed form", async () => {
    const dataKey = await createDataKey(scripted(dataKeyId, dataKeyBytes));
    const plaintext = utf8("s3cret");
    const envelope = await sealForDeployment({ dataKey, ...record, plaintext, random: scripted(nonce) });
    expect(toHex(envelope)).toBe(toHex(deploymentEnvelope));
    expect(await openForDeployment({ dataKey, ...record, envelope })).toEqual(plaintext);
  });

  it("T4 T6 T9 opens for no other record, purpose, environment or data key", async () => {
    const dataKey = await createDataKey(scripted(dataKeyId, dataKeyBytes));
    const [otherId, otherBytes] = [
      await createDataKey(scripted(seq(0xd1, 8), dataKeyBytes)),
      await createDataKey(scripted(dataKeyId, seq(0x41, 32))),
    ];
    const envelope = deploymentEnvelope;
    const attempts = [
      openForDeployment({ dataKey, ...record, recordId: "reg_other", envelope }),
      openForDeployment({ dataKey, ...record, purpose: "pkce-verifier", envelope }),
      openForDeployment({ dataKey, ...record, environment: "test", envelope }),
      openForDeployment({ dataKey: otherId, ...record, envelope }),
      openForDeployment({ dataKey: otherBytes, ...record, envelope }),
    ];
    expect(await Promise.all(attempts.map(code))).toEqual(Array.from({ length: 5 }, () => "unsealable"));
  });
});
