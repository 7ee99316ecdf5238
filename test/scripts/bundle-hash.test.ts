import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cloneInto } from "../support/node/clone.ts";
import { runCli } from "../support/node/run-cli.ts";

let folder = "";
const clones: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bindify-clones-"));
  clones.push(join(folder, "one"), join(folder, "some", "where", "else entirely"));
  for (const clone of clones) await cloneInto(clone);
}, 240_000);
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const partsOf = (list: string) => list.trim().split("\n").slice(0, -1);

async function hashIn(clone: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runCli(join(clone, "scripts/bundle-hash/main.ts"), args);
  expect(stderr).toBe("");
  expect(code).toBe(0);
  return stdout;
}

describe("npm run bundle-hash", () => {
  it("prints the same in two clones in different folders, and another after a change", async () => {
    const [one = "", two = ""] = clones;
    const first = await hashIn(one, "--list");
    expect(await hashIn(two, "--list")).toBe(first);
    const lines = first.trim().split("\n");
    expect(lines.at(-1)).toMatch(/^[0-9a-f]{64}$/);
    for (const part of ["compatibility", "worker/worker.js", "page/app.js", "page/index.html"])
      expect(first).toMatch(new RegExp(`^[0-9a-f]{64}  ${part}$`, "m"));
    expect(first).not.toContain(".map");

    await appendFile(join(two, "src/dashboard/index.html"), "\n");
    const changed = (await hashIn(two)).trim();
    expect(changed).toMatch(/^[0-9a-f]{64}$/);
    expect(changed).not.toBe(lines.at(-1));
    expect(await hashIn(two, "--deploy")).toBe(`--var BUNDLE_HASH:${changed}\n`);
    expect((await readdir(two)).filter((name) => name.startsWith(".wrangler-dry-run"))).toEqual([]);
  });

  it("the worker's code changes it, and so do the compatibility settings", async () => {
    const [one = ""] = clones;
    const before = partsOf(await hashIn(one, "--list"));
    await appendFile(join(one, "src/worker.ts"), "\nglobalThis.name = String(Date.now);\n");
    const file = join(one, "wrangler.toml.example");
    await writeFile(file, (await readFile(file, "utf8")).replace("2026-11-01", "2026-10-01"));
    const after = partsOf(await hashIn(one, "--list"));
    expect(before.filter((line) => !after.includes(line)).map((line) => line.split("  ")[1])).toEqual([
      "compatibility",
      "worker/worker.js",
    ]);
  });
});

describe("npm run deploy-check", () => {
  it("passes, and fails where wrangler would not take the configuration as it is", async () => {
    const [, two = ""] = clones;
    const script = join(two, "scripts/deploy-check/main.ts");
    const passed = await runCli(script, []);
    expect(passed.stderr).toBe("");
    expect(passed.stdout).toContain("passed");
    await appendFile(join(two, "wrangler.toml.example"), "\n[observabilty]\nenabled = true\n");
    const failed = await runCli(script, []);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain("observabilty");
  });
});
