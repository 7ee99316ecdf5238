import { describe, expect, it } from "vitest";
import { toBase64Url, toHex, utf8 } from "../../src/lib/bytes.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { findLeaks, storageHaystacks, textCanary } from "../support/canary.ts";

const secret = 's3cret/+ü"\\\n-canary-0123456789';
const canary = textCanary("key", secret);
const bytes = canary.bytes;
const base64 = (prefix: string, suffix: string) => {
  const whole = new Uint8Array([...utf8(prefix), ...bytes, ...utf8(suffix)]);
  return btoa(String.fromCharCode(...whole));
};

/** T91: each is a way in which a careless line of code could let the secret out. */
const planted: readonly (readonly [string, string])[] = [
  ["as it is", `received ${secret}!`],
  ["in a URL", `https://a.example/?k=${encodeURIComponent(secret)}`],
  ["in a URL, lower case", `k=${encodeURIComponent(secret).toLowerCase()}`],
  [
    "with every byte percent-encoded",
    [...bytes].map((byte) => `%${byte.toString(16).padStart(2, "0").toUpperCase()}`).join(""),
  ],
  ["in hexadecimal", toHex(bytes)],
  ["in upper-case hexadecimal", toHex(bytes).toUpperCase()],
  ["in JSON", JSON.stringify({ error: secret })],
  ["in JSON, escaped", [...bytes].map((byte) => `\\u00${byte.toString(16).padStart(2, "0")}`).join("")],
  ["in base64", base64("", "")],
  ["in base64 behind one byte", base64("x", "tail")],
  ["in base64 behind two bytes", base64("xy", "t")],
  ["in base64url", toBase64Url(bytes)],
  ["in Basic authentication", `Basic ${base64("user@example.com:", "")}`],
  ["in a form", `secret=${new URLSearchParams([["", secret]]).toString().slice(1)}`],
  [
    "form-encoded in Basic authentication",
    `Basic ${btoa(`client:${new URLSearchParams([["", secret]]).toString().slice(1)}`)}`,
  ],
  ["as a list of bytes", JSON.stringify([...bytes])],
  ["as bytes of a dump", String.fromCharCode(...bytes)],
];

describe("the scanner", () => {
  it.each(planted)("T91 finds a secret %s", (_, text) => {
    expect(findLeaks([{ place: "log", text: `before ${text} after` }], [canary])).not.toEqual([]);
  });

  it.each([1, 2, 3, 4, 5])("T91 finds random bytes in base64url behind %i others", (length) => {
    const half = systemRandom(32);
    const text = toBase64Url(new Uint8Array([...systemRandom(length), ...half, ...systemRandom(7)]));
    expect(findLeaks([{ place: "row", text }], [{ name: "half", bytes: half }])).not.toEqual([]);
  });

  it("finds nothing where nothing is", () => {
    const text = Array.from(
      { length: 200 },
      () => toBase64Url(systemRandom(64)) + toHex(systemRandom(64)),
    ).join(" ");
    expect(findLeaks([{ place: "log", text }], [canary, { name: "half", bytes: systemRandom(32) }])).toEqual(
      [],
    );
  });

  it("names the canary, the place and the form", () => {
    const dump = { tables: { users: [{ id: "u", email: toHex(bytes) }] }, kv: { "t/1": secret } };
    expect(findLeaks(storageHaystacks(dump), [canary])).toEqual(
      expect.arrayContaining([
        { canary: "key", place: "d1 users.email", form: "hex" },
        { canary: "key", place: "kv value", form: "utf-8" },
      ]),
    );
  });

  it("finds each of many canaries in one long text, and nothing else", () => {
    const canaries = Array.from({ length: 300 }, (_, at) => ({
      name: `canary ${at}`,
      bytes: systemRandom(24),
    }));
    const shown = canaries.filter((_, at) => at % 3 === 0);
    const text = shown.map((one) => `${toHex(systemRandom(20))} ${toBase64Url(one.bytes)}`).join(" ");
    const found = findLeaks([{ place: "log", text }], canaries).map((leak) => leak.canary);
    expect(new Set(found)).toEqual(new Set(shown.map(({ name }) => name)));
  });

  it("refuses a canary that would be found by chance", () => {
    expect(() => findLeaks([], [textCanary("short", "abc")])).toThrow("short");
  });
});
