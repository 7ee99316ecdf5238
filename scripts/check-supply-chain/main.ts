import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { Problem, readArguments, runCommand } from "../lib/command.ts";
import { root } from "../lib/files.ts";
import { auditProblems, auditSchema, excusesSchema } from "./audit.ts";
import { type Lockfile, lockfileProblems, lockfileSchema, manifestSchema } from "./lockfile.ts";
import { deployedPackages, describeAge } from "./age.ts";

const usage = `
npm run check-supply-chain [-- --offline]

Checks what this project takes from others: every package in the lockfile is pinned by version and SHA-512 and comes
from the npm registry, no install script runs but those that package.json's allowScripts names, and \`npm audit\` knows
no advisory that scripts/check-supply-chain/audit-excuses.json does not excuse, with a reason and until a day. A
registry without that report is asked for the newest version of what is deployed.

  --offline   leave out the audit, which asks the registry
  AUDIT_REQUIRED=1   fail where the registry does not answer an audit
`;

async function read<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  const parsed = schema.safeParse(JSON.parse(await readFile(join(root, path), "utf8")));
  if (!parsed.success)
    throw new Problem(`${path} is not as expected: ${parsed.error.issues[0]?.message ?? ""}`);
  return parsed.data;
}

/** What npm prints as JSON; undefined where it prints none. */
async function npm(args: readonly string[]): Promise<unknown> {
  const path = process.env["npm_execpath"];
  const isScript = path !== undefined && path.endsWith("npm-cli.js");
  const [command, before] = isScript ? [process.execPath, [path]] : ["npm", []];
  const stdout = await new Promise<string>((resolve) => {
    // It exits with 1 where it found something; what it prints says what.
    execFile(
      command,
      [...before, ...args, "--json"],
      { cwd: root, maxBuffer: 64 * 1024 * 1024, timeout: 60_000 },
      (_, text) => resolve(text),
    );
  });
  try {
    return JSON.parse(stdout);
  } catch {
    return undefined;
  }
}

/** What stands in where nobody answers an audit: whether an update of what is deployed could mend anything. */
async function ageOfDeployed(lockfile: Lockfile): Promise<string> {
  const deployed = deployedPackages(lockfile);
  const newest = new Map<string, string>();
  for (const { name } of deployed) {
    const version = z.string().safeParse(await npm(["view", name, "dist-tags.latest"]));
    if (version.success) newest.set(name, version.data);
  }
  return describeAge(deployed, (name) => newest.get(name));
}

await runCommand(usage, async () => {
  const { values } = readArguments({ options: { offline: { type: "boolean" } } });
  const lockfile = await read("package-lock.json", lockfileSchema);
  const problems = [...lockfileProblems(lockfile, await read("package.json", manifestSchema))];
  const count = Object.keys(lockfile.packages).length - 1;
  if (problems.length === 0) console.log(`lockfile: ${count} packages, each pinned by version and SHA-512`);

  const excuses = await read("scripts/check-supply-chain/audit-excuses.json", excusesSchema);
  const audit = values.offline === true ? undefined : await npm(["audit", "--package-lock-only"]);
  const report = auditSchema.safeParse(audit);
  if (report.success) {
    const found = auditProblems(report.data, excuses, new Date().toISOString().slice(0, 10));
    if (found.length === 0) console.log(`npm audit: nothing but ${excuses.length} excused`);
    problems.push(...found);
  } else if (values.offline === true) console.log("npm audit: left out, as asked");
  else {
    const sentence =
      "npm audit: NOT CHECKED. The registry answered no audit report (no network, or a mirror without that " +
      "endpoint). Run it where registry.npmjs.org can be reached.";
    if (process.env["AUDIT_REQUIRED"] === "1") problems.push(sentence);
    else console.log(sentence);
    console.log(await ageOfDeployed(lockfile));
  }
  for (const problem of problems) console.error(problem);
  return problems.length === 0 ? 0 : 1;
});
