import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { manifestSchema } from "../../scripts/check-supply-chain/lockfile.ts";
import { root } from "../../scripts/lib/files.ts";
import { runCli } from "../support/node/run-cli.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bindify-supply-"));
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

/** Runs the command with a stand-in for npm: the registry cannot be told what to answer. */
async function check(answers: Readonly<Record<string, unknown>>, env: Readonly<Record<string, string>> = {}) {
  const npm = join(folder, "npm-cli.js");
  await writeFile(
    npm,
    `const answers = ${JSON.stringify(answers)};
     const [command, name] = process.argv.slice(2);
     const answer = answers[command === "view" ? name : command];
     console.log(JSON.stringify(answer ?? { error: { code: "E404", summary: "Not found" } }));
     process.exitCode = answer === undefined ? 1 : 0;`,
  );
  const ended = await runCli(join(root, "scripts/check-supply-chain/main.ts"), [], {
    env: { npm_execpath: npm, AUDIT_REQUIRED: "", ...env },
  });
  return { code: ended.code, text: ended.stdout + ended.stderr };
}

async function locked(): Promise<Record<string, string>> {
  return manifestSchema.parse(JSON.parse(await readFile(join(root, "package.json"), "utf8"))).dependencies;
}

const advisory = {
  url: "https://github.com/advisories/GHSA-aaaa-bbbb-cccc",
  title: "a hole",
  severity: "high",
};
const report = (vulnerabilities: object) => ({ auditReportVersion: 2, vulnerabilities });

it("passes a clean audit, and fails for what it finds", async () => {
  expect(await check({ audit: report({}) })).toMatchObject({
    code: 0,
    text: expect.stringContaining("npm audit: nothing but 0 excused"),
  });
  const found = await check({ audit: report({ hono: { via: [advisory], range: "<5" } }) });
  expect(found.text).toContain("hono: high, a hole (GHSA-aaaa-bbbb-cccc)");
  expect(found.code).toBe(1);
});

it("says what it knows of the age where there is no audit", async () => {
  const newest = await locked();
  const { code, text } = await check(newest);
  expect(text).toContain("npm audit: NOT CHECKED");
  expect(text).toContain(`Each of the ${Object.keys(newest).length} deployed packages is at the version`);
  expect(code).toBe(0);
  const older = await check({ ...newest, hono: "999.0.0" });
  expect(older.text).toContain(`calls latest: hono ${newest["hono"] ?? ""} (latest: 999.0.0).`);
  const { zod: _, ...others } = newest;
  expect((await check(others)).text).toContain("NOT KNOWN: zod.");
  expect((await check({})).text).not.toContain("Each of");
});

it("fails without an audit where one is required", async () => {
  expect((await check(await locked(), { AUDIT_REQUIRED: "1" })).code).toBe(1);
});
