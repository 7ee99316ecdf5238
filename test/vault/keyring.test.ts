import { describe, expect, it } from "vitest";
import { toHex } from "../../src/lib/bytes.ts";
import { KeyringError, parseKeyring } from "../../src/vault/keyring.ts";
import { reachableText } from "./reachable.ts";
import { masterKeyFingerprint, masterKeyHex } from "./vectors.ts";

const first = "11".repeat(31) + "a0";
const second = masterKeyHex;
const third = "c3".repeat(32);
const list = (...keys: unknown[]) => JSON.stringify(keys.map((key) => ({ key })));

describe("master keys", () => {
  it("T19 pins the fingerprint: the first 16 hexadecimal characters of SHA-256 of the key", async () => {
    const keyring = await parseKeyring({ keys: list(masterKeyHex) });
    expect(keyring?.active.fingerprint).toBe(masterKeyFingerprint);
    expect(toHex(keyring?.active.kid ?? new Uint8Array(0))).toBe(masterKeyFingerprint);
  });

  it("the last key listed is active, and each is found by its fingerprint", async () => {
    const keyring = await parseKeyring({ keys: list(first, second) });
    expect(keyring?.fingerprints).toHaveLength(2);
    expect(keyring?.fingerprints.at(-1)).toBe(masterKeyFingerprint);
    expect(keyring?.active).toBe(keyring?.byFingerprint.get(masterKeyFingerprint));
    for (const fingerprint of keyring?.fingerprints ?? []) {
      expect(keyring?.byFingerprint.get(fingerprint)?.fingerprint).toBe(fingerprint);
    }
  });

  it("upper and lower case spell the same key", async () => {
    const keyring = await parseKeyring({ keys: list(second.toUpperCase()) });
    expect(keyring?.active.fingerprint).toBe(masterKeyFingerprint);
  });

  it("the legacy form is one key by itself", async () => {
    const keyring = await parseKeyring({ legacy: masterKeyHex });
    expect(keyring?.active.fingerprint).toBe(masterKeyFingerprint);
    expect(keyring?.fingerprints).toEqual([masterKeyFingerprint]);
  });

  it("both forms go together only where the list has the single key too", async () => {
    const keyring = await parseKeyring({ keys: list(masterKeyHex, first), legacy: masterKeyHex });
    expect(keyring?.fingerprints).toHaveLength(2);
    expect(keyring?.active.fingerprint).not.toBe(masterKeyFingerprint);
  });

  it.each([{}, { keys: undefined, legacy: undefined }, { keys: "", legacy: "" }])(
    "none configured is no keyring: %j",
    async (env) => {
      expect(await parseKeyring(env)).toBeUndefined();
    },
  );
});

describe("T18 a master key that must not start the process", () => {
  const KEYS = "MANAGED_ENCRYPTION_KEYS";
  const LEGACY = "MANAGED_ENCRYPTION_MASTER_KEY";
  const bad: [string, { keys?: string; legacy?: string }, string][] = [
    ["not JSON", { keys: second }, `${KEYS}: `],
    ["a text that a parser's message would quote", { keys: third }, `${KEYS}: `],
    ["JSON with the key cut off", { keys: `[{"key":"${second}` }, `${KEYS}: `],
    ["no array", { keys: JSON.stringify({ key: second }) }, `${KEYS}: `],
    ["null", { keys: "null" }, `${KEYS}: `],
    ["an empty array", { keys: "[]" }, `${KEYS}: `],
    ["a bare string", { keys: JSON.stringify([first, second]) }, `${KEYS}[0]: `],
    ["a null entry", { keys: `[{"key":"${first}"},null]` }, `${KEYS}[1]: `],
    ["an empty entry", { keys: "[{}]" }, `${KEYS}[0]: `],
    ["a number", { keys: list(first, 7) }, `${KEYS}[1]: `],
    ["short", { keys: list(first, second.slice(2)) }, `${KEYS}[1]: `],
    ["long", { keys: list(`${first}00`) }, `${KEYS}[0]: `],
    ["empty", { keys: list(first, "") }, `${KEYS}[1]: `],
    ["not hexadecimal", { keys: list(first, `${second.slice(0, -1)}g`) }, `${KEYS}[1]: `],
    ["surrounded by white space", { keys: list(` ${first.slice(2)} `) }, `${KEYS}[0]: `],
    ["all zeros", { keys: list(first, "0".repeat(64)) }, `${KEYS}[1]: `],
    ["a duplicate", { keys: list(second, first, second) }, `${KEYS}[2]: `],
    ["a duplicate in other case", { keys: list(second, second.toUpperCase()) }, `${KEYS}[1]: `],
    ["an extra property", { keys: JSON.stringify([{ key: first, [second]: 1 }]) }, `${KEYS}[0]: `],
    ["a short legacy key", { legacy: second.slice(2) }, `${LEGACY}: `],
    ["a legacy key of zeros", { legacy: "0".repeat(64) }, `${LEGACY}: `],
    ["a legacy key in the list's form", { legacy: list(second) }, `${LEGACY}: `],
    ["a legacy key that the list lacks", { keys: list(first), legacy: second }, `${LEGACY}: `],
  ];

  it.each(bad)("T18 %s: the error names the entry and shows no key byte", async (_, env, where) => {
    const error = await parseKeyring(env).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(KeyringError);
    if (!(error instanceof KeyringError)) return;
    expect(error.message.startsWith(where), error.message).toBe(true);
    const shown = [...reachableText(error), error.stack ?? ""].join("\n").toLowerCase();
    for (const key of [first, second, third]) {
      for (const fragment of [key.slice(0, 8), key.slice(20, 28), key.slice(-8)])
        expect(shown).not.toContain(fragment);
    }
    expect(error.cause).toBeUndefined();
  });
});

describe("a loaded keyring", () => {
  it("T18 shows no key byte in JSON or in any property reachable from it", async () => {
    const keyring = await parseKeyring({ keys: list(first, second) });
    const shown = [JSON.stringify(keyring), ...reachableText(keyring)].join("\n");
    expect(shown).toContain(masterKeyFingerprint);
    for (const fragment of [first.slice(0, 8), second.slice(0, 8), second.slice(-8)]) {
      expect(shown).not.toContain(fragment);
    }
  });

  it("T18 does not export its keys", async () => {
    const keyring = await parseKeyring({ keys: list(second) });
    if (!keyring) throw new Error("no keyring");
    await expect(crypto.subtle.exportKey("raw", keyring.active.material.hkdf)).rejects.toThrow();
  });
});
