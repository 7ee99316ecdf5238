import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readOptions } from "../../scripts/bench/options.ts";
import { highest } from "../../scripts/bench/results.ts";
import { growthOf } from "../../scripts/bench/soak.ts";
import { median, ratio } from "../../scripts/bench/stats.ts";
import { findWrk, howToGetWrk, readResult } from "../../scripts/bench/wrk.ts";
import { ownEnvironment } from "../support/node/environment.ts";

const main = fileURLToPath(new URL("../../scripts/bench/main.ts", import.meta.url));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function bench(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [main, ...args],
      { env: { ...ownEnvironment(), ...env } },
      (error, stdout, stderr) =>
        resolve({
          code: typeof error?.code === "number" ? error.code : error === null ? 0 : 1,
          stdout,
          stderr,
        }),
    );
  });
}

describe("npm run bench: figures", () => {
  it("takes medians of odd and even counts", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([])).toBeNaN();
  });

  it("compares only what was measured in the same round", () => {
    expect(ratio([10, 100, 30], [10, 50, 10])).toBe(2);
    expect(ratio([10, undefined], [5, 5])).toBe(2);
    expect(ratio(undefined, [1])).toBeUndefined();
  });

  it("takes the highest peak over what was there before the first body", () => {
    expect(
      highest([
        { before: 50, by: 4 },
        { before: 53, by: 3 },
      ]),
    ).toBe(6);
  });

  it("measures what is held since the first piece of a soak", () => {
    const held = [9, 9.4, 8.8, 14.2].map((megabytes, at) => ({
      calls: at,
      held: megabytes,
      resident: undefined,
    }));
    expect(growthOf(held)).toBeCloseTo(5.2);
    expect(growthOf([])).toBe(0);
  });

  it("reads what wrk's script prints, and nothing else", () => {
    expect(readResult(`Running 1s test\n\nresult {"requests":5,"p50":120}\n`)).toEqual({
      requests: 5,
      p50: 120,
    });
    expect(() => readResult("unable to connect")).toThrow("wrk printed no result");
  });
});

describe("npm run bench: command line", () => {
  it("keeps the order of rows and names a stranger", () => {
    expect(readOptions(["--rows", "c, b"]).rows).toEqual(["b", "c"]);
    expect(() => readOptions(["--only", "json,x"])).toThrow(`--only does not know "x"`);
    expect(readOptions(["--soak", "30m"]).soak).toBe(1800);
    expect(() => readOptions(["--soak", "30"])).toThrow("--soak takes a time");
    expect(() => readOptions(["--seconds", "0"])).toThrow("--seconds takes a whole number");
  });

  it("says how to get wrk and exits with 2 where it is missing", async () => {
    const { code, stderr } = await bench([], { WRK_PATH: "/nowhere/wrk" });
    expect(code).toBe(2);
    expect(stderr.trim()).toBe(howToGetWrk);
  });
});

describe.skipIf(findWrk() === undefined)(`npm run bench: a short run (${howToGetWrk})`, () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "bindify-bench-test-"));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  it("measures Bindify beside the pass-through and counts one D1 read and nothing else per call", async () => {
    const json = join(folder, "bench.json");
    const parts = "memory,sse,transfer,counts";
    const { code, stdout, stderr } = await bench([
      "--quick",
      "--rows",
      "b,c,c0",
      "--only",
      parts,
      "--json",
      json,
    ]);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(stdout).toContain("first SSE event, c/b");
    const { counts } = JSON.parse(await readFile(json, "utf8"));
    expect(counts.hot).toEqual({
      d1Queries: 1,
      d1Writes: 0,
      rowsRead: expect.any(Number),
      rowsWritten: 0,
      kvReads: 0,
      kvWrites: 0,
    });
  });
});
