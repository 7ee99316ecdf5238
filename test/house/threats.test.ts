import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readSource } from "./source.ts";
import { excused, threats } from "./threats.ts";

const folder = fileURLToPath(new URL("..", import.meta.url));
const files = globSync("**/*.test.ts", { cwd: folder }).filter((path) => !path.includes("threats.test"));

/** Ids at the head of a string, as a test's name begins: `T12 a spelling…`, `T20 T26 the bucket…`. */
function citedIn(text: string): readonly string[] {
  const { withStrings } = readSource(text);
  const heads = [...withStrings.matchAll(/["'`]((?:T\d{1,3}:? )+)\S/g)].map((found) => found[1] ?? "");
  return heads.flatMap((head) => head.match(/T\d+/g) ?? []);
}

const cited = new Map<string, string[]>();
for (const path of files) {
  for (const id of citedIn(readFileSync(`${folder}/${path}`, "utf8"))) {
    cited.set(id, [...(cited.get(id) ?? []), path]);
  }
}

describe("the manifest of threats", () => {
  it("has every id of the numbered list", () => {
    const spans = [
      [1, 26],
      [30, 46],
      [50, 55],
      [60, 78],
      [80, 93],
    ] as const;
    const wanted = spans.flatMap(([from, to]) =>
      Array.from({ length: to - from + 1 }, (_, at) => `T${from + at}`),
    );
    expect(Object.keys(threats)).toEqual(wanted);
  });

  it.each(Object.entries(threats))("%s is proven by a test, or excused: %s", (id) => {
    const isExcused = Object.hasOwn(excused, id);
    expect(
      cited.has(id),
      isExcused ? `${id} is proven now: remove its excuse` : `${id} is cited by no test`,
    ).toBe(!isExcused);
  });

  it("every id that a test cites is in the list", () => {
    expect([...cited].filter(([id]) => !Object.hasOwn(threats, id))).toEqual([]);
  });

  it("an excuse says why, and is for something in the list", () => {
    for (const [id, reason] of Object.entries(excused)) {
      expect(Object.keys(threats)).toContain(id);
      expect(reason.length, id).toBeGreaterThan(30);
    }
  });
});

describe("the check itself", () => {
  it.each([
    ['it("T12 a", f)', ["T12"]],
    ["describe(`T1 T93 ${a}`, f)", ["T1", "T93"]],
    ['it.each([["T64 a foreign origin", b]])("%s", f)', ["T64"]],
    ['describe("T13 without a storage call:", f)', ["T13"]],
  ])("reads %s", (text, ids) => {
    expect(citedIn(text)).toEqual(ids);
  });

  it.each([
    '// it("T12 a")',
    '/* "T12 a" */ it("a", f)',
    "const T12 = a;",
    'it("see T12", f)',
    'it("T12", f)',
  ])("does not count %s", (text) => {
    expect(citedIn(text)).toEqual([]);
  });
});
