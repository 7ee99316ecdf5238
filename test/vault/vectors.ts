/**
 * Literal vectors of every format, computed with node:crypto and node:zlib, not with the code under test.
 * To compute them again, with seq(a, n) = the n bytes a, a+1, …:
 *
 *   id = seq(0x00, 32)  key = seq(0x20, 32)  dekId = seq(0xd0, 8)  dek = seq(0x40, 32)  master = seq(0x80, 32)
 *   lookup      createHash("sha256").update("bindify/lookup/v1").update(id).digest("hex")
 *   verifier    hkdfSync("sha256", key, connection, "bindify/verify/v1", 32)
 *   sealing     hkdfSync("sha256", key, connection, "bindify/seal/v1/" + purpose, 32)
 *   apiKey      body + base62(zlib.crc32(body)), body = "bnd_live_" + credential
 *   envelope    header ‖ nonce ‖ createCipheriv("aes-256-gcm", sealing key, nonce) with setAAD of the fields listed in
 *               src/vault/envelope.ts, each after its length (writeUInt32BE); nonce = seq(0xa0, 12)
 */
import { concat, fromHex } from "../../src/lib/bytes.ts";
import type { Random } from "../../src/lib/random.ts";
import type { EnvelopeContext } from "../../src/vault/envelope.ts";

export function hex(text: string): Uint8Array<ArrayBuffer> {
  const bytes = fromHex(text);
  if (!bytes) throw new Error(`not hexadecimal: ${text}`);
  return bytes;
}

export function seq(start: number, length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, at) => start + at);
}

/** Hands out the given bytes in order, then fails: what a function draws, and how much, is visible. */
export function scripted(...parts: readonly Uint8Array[]): Random {
  const bytes = concat(...parts);
  let at = 0;
  return (length) => {
    if (at + length > bytes.length) throw new Error("more randomness was drawn than the test provides");
    at += length;
    return bytes.slice(at - length, at);
  };
}

export const id = seq(0x00, 32);
export const key = seq(0x20, 32);
export const dataKeyId = seq(0xd0, 8);
export const dataKeyBytes = seq(0x40, 32);
export const masterKeyHex = "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f";
export const nonce = seq(0xa0, 12);

export const connection = "con_7Zk2vQ9xW4";
export const workspace = "wsp_3Hn8";

export const credentialText =
  "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0-Pw";
export const liveApiKey =
  "bnd_live_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0-Pw1CJJlW";
export const testApiKey =
  "bnd_test_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0-Pw0FrPMD";

export const lookup = hex("75ac02f506ee8f5d16be00280eba8d5728a057cd0179fc2fb692d281932288d4");
export const verifier = hex("35e8f67500d972503f13ff3921c893331d74d35e149b09d9b45e4e46233798a8");

export const sealingKeys = {
  grant: hex("afa0d324415ff20050abacfa72881dda79bb4e9ee1e9f32e50e103a3b864de56"),
  "legacy-endpoint": hex("ed68b662fcbe8caee66d95f2ced3c10cdd6d9c5ef596f8e95b91c5a6371918ba"),
  "data-key": hex("50c52f0f18c42687d06193dddb61629dbc0e3eed92fa50f975e7b91ec4ae8ea0"),
  "client-secret": hex("c8ab90a8fabe1c8566fd1b91b4780d50098ca4d46c5c7bd14fde12563cad8cca"),
  "pkce-verifier": hex("48dc89e6c4a0a4cdf41dd0957ca8782d23d059bd8f4d26aadf86bca0274bc5c4"),
} as const;

/** The context of both grants below; the managed one differs in `storage`. */
export const context: EnvelopeContext = {
  environment: "live",
  connectionId: connection,
  workspaceId: workspace,
  serviceId: "linear",
  storage: "zero_knowledge",
  lookup,
  verifier,
  purpose: "grant",
  generation: 7,
};
export const grant = '{"access_token":"at-1"}';

/** The grant under the key of the credential. */
export const userHeldEnvelope = hex(
  "01010000000000000000a0a1a2a3a4a5a6a7a8a9aaab" +
    "648ea68efdbeac6a4b93607150b174b013e479f58c265c535c84862c715d64c1210c774ede3bdf",
);
/** The grant under the data key. */
export const managedEnvelope = hex(
  "0101d0d1d2d3d4d5d6d7a0a1a2a3a4a5a6a7a8a9aaab" +
    "32ca0d6357470da04cab74ab8b655bbbb126829313e71fbfd12fcd4fa162868eaf744e2a427a04",
);
export const masterKeyFingerprint = "82d86408530b765e";
/** The data key of the workspace under the master key. */
export const wrappedDataKey = hex(
  "010182d86408530b765ea0a1a2a3a4a5a6a7a8a9aaab" +
    "6946d23509908dcf8e0e34f8fb59e518bb573cf01a136bb0517d0be8b03e07e288378584c2370ee467c1919603dcbe1c",
);
/** "s3cret" as client-secret of the record "reg_5Tq1", under the data key as the deployment's. */
export const deploymentEnvelope = hex(
  "0101d0d1d2d3d4d5d6d7a0a1a2a3a4a5a6a7a8a9aaab66a7ae86930f76dd01ed3dd21a7df88006ac64343dc4",
);
