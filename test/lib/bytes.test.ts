import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import {
  concat,
  equal,
  fromBase64Url,
  fromHex,
  fromUtf8,
  toBase64Url,
  toHex,
  utf8,
} from "../../src/lib/bytes.ts";

describe("base64url (RFC 4648 §5)", () => {
  // RFC 4648 §10, and two values whose spelling differs from plain base64.
  const vectors = [
    ["", ""],
    ["f", "Zg"],
    ["fo", "Zm8"],
    ["foo", "Zm9v"],
    ["foob", "Zm9vYg"],
    ["fooba", "Zm9vYmE"],
    ["foobar", "Zm9vYmFy"],
  ] as const;

  it.each(vectors)("encodes and decodes %j", (text, encoded) => {
    expect(toBase64Url(utf8(text))).toBe(encoded);
    expect(fromBase64Url(encoded)).toEqual(utf8(text));
  });

  it("uses the URL-safe alphabet", () => {
    expect(toBase64Url(Uint8Array.of(0xfb, 0xff, 0xfe))).toBe("-__-");
    expect(fromBase64Url("-__-")).toEqual(Uint8Array.of(0xfb, 0xff, 0xfe));
  });

  it.each(["Zg==", "Zm9=", "+//+", "Zm 9v", "Zm9v\n", "Zm9vé", "Zm9\u0000", "A", "AAAAA", "Zm9v\u{1f511}"])(
    "refuses %j",
    (text) => {
      expect(fromBase64Url(text)).toBeUndefined();
    },
  );

  it("T12 refuses every spelling with spare bits that are not zero", () => {
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const accepted = (prefix: string) => alphabet.split("").filter((last) => fromBase64Url(prefix + last));
    expect(accepted("A").join("")).toBe("AQgw");
    expect(accepted("AA").join("")).toBe("AEIMQUYcgkosw048");
  });

  it("decodes what it encodes, and nothing else to the same bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(fromBase64Url(toBase64Url(bytes))).toEqual(new Uint8Array(bytes));
      }),
    );
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), (text) => {
        const bytes = fromBase64Url(text);
        if (bytes) expect(toBase64Url(bytes)).toBe(text);
      }),
    );
  });
});

describe("hexadecimal", () => {
  it("writes lower case and reads both", () => {
    expect(toHex(Uint8Array.of(0, 0x0a, 0xff))).toBe("000aff");
    expect(fromHex("000aFF")).toEqual(Uint8Array.of(0, 0x0a, 0xff));
    expect(fromHex("")).toEqual(new Uint8Array(0));
  });

  it.each(["0", "0g", "0x00", " 00", "00\n", "-1", "é0"])("refuses %j", (text) => {
    expect(fromHex(text)).toBeUndefined();
  });

  it("reads what it writes", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(fromHex(toHex(bytes))).toEqual(new Uint8Array(bytes));
      }),
    );
  });
});

describe("UTF-8", () => {
  it("agrees with the platform's encoder for any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(utf8(text)).toEqual(new Uint8Array(new TextEncoder().encode(text)));
      }),
    );
  });

  it("reads back what it wrote, a byte-order mark included", () => {
    for (const text of ["", "plain", "é", "\ufeffmark", "\u{1f511}"]) expect(fromUtf8(utf8(text))).toBe(text);
  });

  it("throws TypeError for what is not UTF-8", () => {
    expect(() => fromUtf8(Uint8Array.of(0x66, 0xff))).toThrow(TypeError);
  });
});

describe("concat", () => {
  it("joins copies", () => {
    const part = Uint8Array.of(1, 2);
    const joined = concat(part, new Uint8Array(0), Uint8Array.of(3));
    part.fill(9);
    expect(joined).toEqual(Uint8Array.of(1, 2, 3));
    expect(concat()).toEqual(new Uint8Array(0));
  });
});

describe("equal", () => {
  it("T14 compares with the runtime's constant-time function, over the whole of both", () => {
    const compare = vi.spyOn(crypto.subtle, "timingSafeEqual");
    const bytes = Uint8Array.from({ length: 32 }, (_, at) => at);
    for (let at = 0; at < bytes.length; at++) {
      const other = bytes.slice();
      other[at] = (other[at] ?? 0) ^ 0x80;
      expect(equal(bytes, other)).toBe(false);
      expect(compare).toHaveBeenLastCalledWith(bytes, other);
    }
    expect(equal(bytes, bytes.slice())).toBe(true);
    expect(compare).toHaveBeenCalledTimes(bytes.length + 1);
    compare.mockRestore();
  });

  it("T14 tells different lengths apart without throwing, also where one begins the other", () => {
    expect(equal(Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2))).toBe(false);
    expect(equal(new Uint8Array(0), Uint8Array.of(0))).toBe(false);
    expect(equal(new Uint8Array(0), new Uint8Array(0))).toBe(true);
  });
});
