import * as fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { checksum } from "../../src/vault/checksum.ts";
import {
  type CredentialEnvironment,
  formatApiKey,
  formatCredential,
  mintCredential,
  parseApiKey,
  parseCredential,
} from "../../src/vault/credential.ts";
import { credentialText, id, key, liveApiKey, scripted, seq, testApiKey } from "./vectors.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const environments = ["live", "test"] as const;
const halves = fc.record({
  id: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => new Uint8Array(bytes)),
  key: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => new Uint8Array(bytes)),
});

/** An API key whose checksum is right for `body`, so that only the body can be why it is refused. */
const withChecksum = (body: string) => body + checksum(body);

afterEach(() => {
  vi.restoreAllMocks();
});

describe("minting", () => {
  it("draws 32 bytes of id, then 32 bytes of key, and nothing else", () => {
    expect(mintCredential(scripted(seq(0x00, 64)))).toEqual({ id, key });
    expect(() => mintCredential(scripted(seq(0x00, 63)))).toThrow("more randomness");
  });
});

describe("spelling", () => {
  it("T19 pins the secret URL's form and the API key's", () => {
    expect(formatCredential({ id, key })).toBe(credentialText);
    expect(formatApiKey({ id, key }, "live")).toBe(liveApiKey);
    expect(formatApiKey({ id, key }, "test")).toBe(testApiKey);
    expect(parseCredential(credentialText)).toEqual({ id, key });
    expect(parseApiKey(liveApiKey, "live")).toEqual({ id, key });
    expect(parseApiKey(testApiKey, "test")).toEqual({ id, key });
  });

  it("round-trips any credential through both forms", () => {
    fc.assert(
      fc.property(halves, fc.constantFrom(...environments), (credential, environment) => {
        expect(parseCredential(formatCredential(credential))).toEqual(credential);
        expect(parseApiKey(formatApiKey(credential, environment), environment)).toEqual(credential);
      }),
    );
  });

  it("hands out halves that do not share memory", () => {
    const credential = parseCredential(credentialText);
    expect(credential?.id.buffer.byteLength).toBe(32);
    expect(credential?.key.buffer.byteLength).toBe(32);
  });

  it("T12 knows one of the 16 spellings that a lenient decoder gives the same 64 bytes", () => {
    const last = ALPHABET.indexOf(credentialText.slice(-1));
    const aliases = Array.from(
      { length: 16 },
      (_, spare) => credentialText.slice(0, -1) + ALPHABET[(last & 48) | spare],
    );
    expect(new Set(aliases).size).toBe(16);
    expect(aliases.filter((alias) => parseCredential(alias))).toEqual([credentialText]);
    for (const environment of environments) {
      const keys = aliases.map((alias) => withChecksum(`bnd_${environment}_${alias}`));
      expect(keys.filter((apiKey) => parseApiKey(apiKey, environment))).toEqual([
        formatApiKey({ id, key }, environment),
      ]);
    }
  });

  it("T12 knows no text but the one it formats", () => {
    const mutated = fc.tuple(
      fc.nat({ max: 85 }),
      fc.constantFrom(...ALPHABET.split(""), "+", "/", "=", " ", "é", "\0"),
    );
    fc.assert(
      fc.property(halves, mutated, (credential, [at, character]) => {
        const text = formatCredential(credential);
        const other = text.slice(0, at) + character + text.slice(at + 1);
        const parsed = parseCredential(other);
        if (parsed) expect(formatCredential(parsed)).toBe(other);
      }),
    );
  });
});

describe("malformed text", () => {
  const credentials: [string, string][] = [
    ["empty", ""],
    ["one character short", credentialText.slice(0, -1)],
    ["one character long", `${credentialText}A`],
    ["padded", `${credentialText}==`],
    ["the other alphabet", credentialText.replace("-", "+")],
    ["percent-encoded", `%41${credentialText.slice(1, -2)}`],
    ["a leading space", ` ${credentialText.slice(0, -1)}`],
    ["a trailing line feed", `${credentialText.slice(0, -1)}\n`],
    ["NUL", `\0${credentialText.slice(1)}`],
    ["beyond ASCII", `é${credentialText.slice(1)}`],
    ["a look-alike whose low byte is in the alphabet", `\u0141${credentialText.slice(1)}`],
  ];
  const apiKeys: [string, string, CredentialEnvironment][] = [
    ["the other environment", testApiKey, "live"],
    ["the other environment, the other way", liveApiKey, "test"],
    ["a changed prefix", withChecksum(`BND_live_${credentialText}`), "live"],
    ["no prefix", credentialText, "live"],
    ["no checksum", liveApiKey.slice(0, -6), "live"],
    ["a short checksum", liveApiKey.slice(0, -1), "live"],
    ["a long checksum", `${liveApiKey}0`, "live"],
    ["a checksum in other case", liveApiKey.slice(0, -6) + liveApiKey.slice(-6).toLowerCase(), "live"],
    ["spaces around", ` ${liveApiKey} `, "live"],
  ];

  it.each(credentials)("T13 a credential is refused at once: %s", (_, text) => {
    const digest = vi.spyOn(crypto.subtle, "digest");
    expect(parseCredential(text)).toBeUndefined();
    expect(parseApiKey(withChecksum(`bnd_live_${text}`), "live")).toBeUndefined();
    expect(digest).not.toHaveBeenCalled();
  });

  it.each(apiKeys)("T13 an API key is refused at once: %s", (_, text, environment) => {
    const digest = vi.spyOn(crypto.subtle, "digest");
    expect(parseApiKey(text, environment)).toBeUndefined();
    expect(digest).not.toHaveBeenCalled();
  });

  it("T13 a wrong character anywhere in an API key is found by the checksum", () => {
    for (let at = 0; at < liveApiKey.length; at++) {
      for (const character of "A0_") {
        if (liveApiKey[at] === character) continue;
        const typo = liveApiKey.slice(0, at) + character + liveApiKey.slice(at + 1);
        expect(parseApiKey(typo, "live")).toBeUndefined();
      }
    }
  });
});
