import { describe, expect, it } from "vitest";
import { checksum, crc32 } from "../../src/vault/checksum.ts";

describe("checksum", () => {
  it("T19 is CRC-32: the check value of the polynomial", () => {
    expect(crc32("123456789")).toBe(0xcbf43926);
    expect(crc32("")).toBe(0);
  });

  it("T19 is six base62 digits, most significant first, padded with zeros", () => {
    expect(checksum("")).toBe("000000");
    // 3421780262 = 3·62^5 + 45·62^4 + 35·62^3 + 27·62^2 + 22·62^1 + 14
    expect(checksum("123456789")).toBe("3jZRME");
  });
});
