import { describe, expect, it } from "vitest";
import { concat, toHex } from "../../src/lib/bytes.ts";
import {
  aesGcmDecrypt,
  aesGcmEncrypt,
  hkdf,
  hkdfAesKey,
  importHkdfKey,
  sha256,
} from "../../src/vault/primitives.ts";
import { hex, seq } from "./vectors.ts";

describe("SHA-256 (FIPS 180-4)", () => {
  it("T19 hashes the NIST example", async () => {
    const digest = await sha256(Uint8Array.of(0x61, 0x62, 0x63));
    expect(toHex(digest)).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  });
});

describe("HKDF-SHA256 (RFC 5869 appendix A)", () => {
  const vectors = [
    {
      name: "A.1, basic",
      ikm: new Uint8Array(22).fill(0x0b),
      salt: seq(0x00, 13),
      info: seq(0xf0, 10),
      okm: "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    },
    {
      name: "A.2, longer inputs and output",
      ikm: seq(0x00, 80),
      salt: seq(0x60, 80),
      info: seq(0xb0, 80),
      okm:
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09" +
        "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
    },
    {
      name: "A.3, no salt and no info",
      ikm: new Uint8Array(22).fill(0x0b),
      salt: new Uint8Array(0),
      info: new Uint8Array(0),
      okm: "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    },
  ];

  it.each(vectors)("T19 $name", async ({ ikm, salt, info, okm }) => {
    const key = await importHkdfKey(ikm);
    expect(toHex(await hkdf(key, salt, info, okm.length / 2))).toBe(okm);
  });

  it.each(vectors)("T19 $name: the AES key is the first 32 bytes", async ({ ikm, salt, info, okm }) => {
    const derived = await hkdfAesKey(await importHkdfKey(ikm), salt, info);
    const raw = await crypto.subtle.importKey("raw", hex(okm.slice(0, 64)), "AES-GCM", false, ["decrypt"]);
    const sealed = await aesGcmEncrypt(derived, seq(0, 12), new Uint8Array(0), seq(0, 48));
    expect(await aesGcmDecrypt(raw, seq(0, 12), new Uint8Array(0), sealed)).toEqual(seq(0, 48));
  });

  it("keys cannot be exported", async () => {
    const key = await importHkdfKey(seq(0, 32));
    await expect(crypto.subtle.exportKey("raw", key)).rejects.toThrow();
    const derived = await hkdfAesKey(key, seq(0, 13), seq(0, 10));
    await expect(crypto.subtle.exportKey("raw", derived)).rejects.toThrow();
  });
});

describe("AES-256-GCM (NIST CAVP gcmEncryptExtIV256.rsp; the GCM specification's test cases 13 to 16)", () => {
  const plain =
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72" +
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255";
  const cipher =
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa" +
    "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad";
  const specKey = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
  const zeros = "0".repeat(64);
  const [none, zeroNonce, specNonce] = ["", "0".repeat(24), "cafebabefacedbaddecaf888"];
  const vectors: [string, string, string, string, string, string, string][] = [
    ["case 13", zeros, zeroNonce, none, none, none, "530f8afbc74536b9a963b4f1c4cb738b"],
    [
      "case 14",
      zeros,
      zeroNonce,
      none,
      "0".repeat(32),
      "cea7403d4d606b6e074ec5d3baf39d18",
      "d0d1c8a799996bf0265b98b5d48ab919",
    ],
    ["case 15", specKey, specNonce, none, plain, cipher, "b094dac5d93471bdec1a502270e3cc6c"],
    [
      "case 16",
      specKey,
      specNonce,
      "feedfacedeadbeeffeedfacedeadbeefabaddad2",
      plain.slice(0, 120),
      cipher.slice(0, 120),
      "76fc6ece0f4e1768cddf8853bb2d551b",
    ],
    [
      "CAVP 128-bit text",
      "31bdadd96698c204aa9ce1448ea94ae1fb4a9a0b3c9d773b51bb1822666b8f22",
      "0d18e06c7c725ac9e362e1ce",
      none,
      "2db5168e932556f8089a0622981d017d",
      "fa4362189661d163fcd6a56d8bf0405a",
      "d636ac1bbedd5cc3ee727dc2ab4a9489",
    ],
    [
      "CAVP 408-bit text",
      "595f259c55abe00ae07535ca5d9b09d6efb9f7e9abb64605c337acbd6b14fc7e",
      "92f258071d79af3e63672285",
      none,
      "a6fee33eb110a2d769bbc52b0f36969c287874f665681477a25fc4c48015c541fbe2394133ba490a34ee2dd67b898177849a91",
      "bbca4a9e09ae9690c0f6f8d405e53dccd666aa9c5fa13c8758bc30abe1ddd1bcce0d36a1eaaaaffef20cd3c5970b9673f8a65c",
      "26ccecb9976fd6ac9c2c0f372c52c821",
    ],
    [
      "CAVP 160-bit additional data",
      "83688deb4af8007f9b713b47cfa6c73e35ea7a3aa4ecdb414dded03bf7a0fd3a",
      "0b459724904e010a46901cf3",
      "794a14ccd178c8ebfd1379dc704c5e208f9d8424",
      "33d893a2114ce06fc15d55e454cf90c3",
      "cc66bee423e3fcd4c0865715e9586696",
      "0fb291bd3dba94a1dfd8b286cfb97ac5",
    ],
  ];

  it.each(vectors)("T19 %s", async (_, key, nonce, additional, plaintext, ciphertext, tag) => {
    const aes = await crypto.subtle.importKey("raw", hex(key), "AES-GCM", false, ["encrypt", "decrypt"]);
    const sealed = await aesGcmEncrypt(aes, hex(nonce), hex(additional), hex(plaintext));
    expect(toHex(sealed)).toBe(ciphertext + tag);
    expect(toHex(await aesGcmDecrypt(aes, hex(nonce), hex(additional), sealed))).toBe(plaintext);
    await expect(
      aesGcmDecrypt(aes, hex(nonce), concat(hex(additional), Uint8Array.of(0)), sealed),
    ).rejects.toThrow();
  });
});
