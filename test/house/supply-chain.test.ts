import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { auditProblems, auditSchema, excusesSchema } from "../../scripts/check-supply-chain/audit.ts";
import {
  lockfileProblems,
  lockfileSchema,
  manifestSchema,
  type Lockfile,
} from "../../scripts/check-supply-chain/lockfile.ts";
import { deployedPackages, describeAge } from "../../scripts/check-supply-chain/age.ts";

const read = (path: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), "utf8"));
const lockfile = lockfileSchema.parse(read("package-lock.json"));
const manifest = manifestSchema.parse(read("package.json"));

describe("what the project takes from others", () => {
  it("every package is pinned by version and SHA-512, and only known install scripts run", () => {
    expect(Object.keys(lockfile.packages).length).toBeGreaterThan(100);
    expect(lockfileProblems(lockfile, manifest)).toEqual([]);
  });

  it("excuses of advisories have a reason and a day", () => {
    expect(excusesSchema.safeParse(read("scripts/check-supply-chain/audit-excuses.json")).success).toBe(true);
  });
});

const hash = `sha512-${"A".repeat(86)}==`;
const good = { version: "1.2.3", resolved: "https://registry.npmjs.org/a/-/a-1.2.3.tgz", integrity: hash };
const own = { dependencies: { a: "1.2.3" }, devDependencies: {}, optionalDependencies: {}, allowScripts: {} };
const locked = (changes: object, path = "node_modules/a"): Lockfile =>
  lockfileSchema.parse({
    lockfileVersion: 3,
    packages: { "": {}, "node_modules/a": good, [path]: { ...good, ...changes } },
  });

describe("the check of the lockfile", () => {
  it("passes what is in order", () => {
    expect(lockfileProblems(locked({}), own)).toEqual([]);
    expect(lockfileProblems(locked({ resolved: undefined }), own)).toEqual([]);
  });

  const planted: readonly (readonly [name: string, changes: object, path?: string])[] = [
    ["another registry", { resolved: "https://registry.example/a/-/a-1.2.3.tgz" }],
    ["a registry of a similar name", { resolved: "https://registry.npmjs.org.example/a.tgz" }],
    ["a git address", { resolved: "git+ssh://git@github.com/a/a.git#0123456789abcdef" }],
    ["a file", { resolved: "file:../a.tgz" }],
    ["plain http", { resolved: "http://registry.npmjs.org/a/-/a-1.2.3.tgz" }],
    ["no hash", { integrity: undefined }],
    ["SHA-1", { integrity: "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=" }],
    ["a link", { link: true }],
    ["a version that is an address", { version: "git+https://github.com/a/a.git" }],
    ["an install script that nobody named", { hasInstallScript: true }],
    ["one deeper down", { hasInstallScript: true }, "node_modules/a/node_modules/@b/c"],
    ["a place outside of node_modules", {}, "packages/a"],
    ["another version than package.json wants", { version: "1.2.4" }],
  ];

  it.each(planted.map((one) => ({ name: one[0], one })))("finds $name", ({ one: [, changes, path] }) => {
    const problems = lockfileProblems(locked(changes, path), own);
    expect(problems).not.toEqual([]);
  });

  it("finds a range in package.json, and an allowance that nobody uses", () => {
    expect(lockfileProblems(locked({}), { ...own, dependencies: { a: "^1.2.3" } })).toHaveLength(1);
    expect(lockfileProblems(locked({}), { ...own, devDependencies: { b: "github:b/b" } })).toHaveLength(1);
    expect(lockfileProblems(locked({}), { ...own, allowScripts: { b: true } })).toHaveLength(1);
  });
});

const advisory = "GHSA-aaaa-bbbb-cccc";
const report = auditSchema.parse({
  auditReportVersion: 2,
  vulnerabilities: {
    a: {
      via: [{ url: `https://github.com/advisories/${advisory}`, title: "Bad", severity: "high" }],
      range: "<2",
    },
    b: { via: ["a"], range: "*" },
  },
});
const excuse = {
  advisory,
  package: "a",
  reason: "It parses nothing that others wrote.",
  expires: "2030-01-01",
};

describe("the check of the audit", () => {
  it("wants an excuse for what was found, and one that holds", () => {
    expect(auditProblems(report, [], "2026-11-22")).toEqual([expect.stringContaining(advisory)]);
    expect(auditProblems(report, [excuse], "2026-11-22")).toEqual([]);
    expect(auditProblems(report, [excuse], "2030-01-02")).toEqual([expect.stringContaining("expired")]);
    expect(auditProblems(report, [{ ...excuse, package: "c" }], "2026-11-22")).toHaveLength(2);
  });

  it("an answer that is no report counts for none", () => {
    for (const answer of [{ error: { code: "ENOAUDIT" } }, { message: "not found" }, {}])
      expect(auditSchema.safeParse(answer).success).toBe(false);
  });
});

describe("the age of what is deployed", () => {
  const deployed = deployedPackages(locked({ dev: true }, "node_modules/b"));
  const age = (newest?: string) => describeAge(deployed, () => newest);

  it("leaves out what is for development", () => {
    expect(deployed).toEqual([{ name: "a", version: "1.2.3" }]);
  });

  it("is said in words", () => {
    expect(age("1.2.3")).toContain("Each of the 1 deployed packages is at the version");
    expect(age("1.2.4")).toContain(
      "not at the version that the registry calls latest: a 1.2.3 (latest: 1.2.4)",
    );
    expect(age()).toContain("NOT KNOWN: a");
  });

  it("is that of all that a deployment can hold", () => {
    const names = deployedPackages(lockfile).map(({ name }) => name);
    expect(names.toSorted()).toEqual(Object.keys(manifest.dependencies).toSorted());
  });
});
