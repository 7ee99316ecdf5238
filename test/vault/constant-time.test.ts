import { describe, expect, it } from "vitest";

declare global {
  interface ImportMeta {
    /** Vite's: the files that match, here each one's text by its path. */
    glob(patterns: readonly string[], options: object): Record<string, string>;
  }
}

const sources = import.meta.glob(["../../src/lib/bytes.ts", "../../src/vault/*.ts"], {
  query: "?raw",
  import: "default",
  eager: true,
});

/** What compares byte strings and stops at the first difference. */
const SHORTCUTS = [
  /\b(?:toHex|toBase64Url|formatCredential|formatApiKey|fromUtf8)\([^)]*\)+\s*[!=]==/,
  /[!=]==\s*(?:toHex|toBase64Url|formatCredential|formatApiKey|fromUtf8)\(/,
  /\.(?:some|indexOf|includes|localeCompare)\(/,
  /\.every\(\((?!byte\) => byte === 0\))/,
];

describe("comparisons of secrets", () => {
  it("T14 go through lib/bytes.equal, the one caller of timingSafeEqual", () => {
    const callers = Object.entries(sources).filter(([, text]) => text.includes("subtle.timingSafeEqual("));
    expect(callers.map(([path]) => path)).toEqual(["../../src/lib/bytes.ts"]);
    expect(sources["../../src/vault/envelope.ts"]).toContain("!equal(readHeader(envelope).kid, kid)");
  });

  it("T14 are nowhere written out", () => {
    const vault = Object.entries(sources).filter(([path]) => path.includes("/vault/"));
    expect(vault.length).toBeGreaterThan(5);
    for (const [path, text] of vault) {
      for (const shortcut of SHORTCUTS) expect(text, path).not.toMatch(shortcut);
    }
  });
});
