import { z } from "zod";

const entrySchema = z.looseObject({
  version: z.string().optional(),
  resolved: z.string().optional(),
  integrity: z.string().optional(),
  link: z.boolean().optional(),
  dev: z.boolean().optional(),
  devOptional: z.boolean().optional(),
  inBundle: z.boolean().optional(),
  hasInstallScript: z.boolean().optional(),
});

export const lockfileSchema = z.looseObject({
  lockfileVersion: z.literal(3),
  packages: z.record(z.string(), entrySchema),
});

export const manifestSchema = z.looseObject({
  dependencies: z.record(z.string(), z.string()).default({}),
  devDependencies: z.record(z.string(), z.string()).default({}),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
  /** Packages with an install script, and whether it may run. */
  allowScripts: z.record(z.string(), z.boolean()),
});

export type Lockfile = z.output<typeof lockfileSchema>;
export type Manifest = z.output<typeof manifestSchema>;

const registry = "https://registry.npmjs.org/";
/** An exact version: no range, tag, URL, git or file reference. */
const exact = /^\d+\.\d+\.\d+(?:-[\w.-]+)?$/;
/** SHA-512 in base64: 86 characters and their padding. */
const sha512 = /^sha512-[A-Za-z0-9+/]{86}==$/;

/** `node_modules/a/node_modules/@b/c` → `@b/c` */
export const nameOf = (path: string): string =>
  path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);

/** What is wrong with the lockfile, one sentence each. */
export function lockfileProblems(lockfile: Lockfile, manifest: Manifest): readonly string[] {
  const installed = Object.entries(lockfile.packages).filter(([path]) => path !== "");
  return [
    ...installed.flatMap(([path, entry]) => entryProblems(path, entry)),
    ...manifestProblems(lockfile, manifest),
    ...scriptProblems(installed, manifest),
  ];
}

function entryProblems(path: string, entry: z.output<typeof entrySchema>): readonly string[] {
  const says = (sentence: string): string => `${path}: ${sentence}`;
  if (!path.startsWith("node_modules/")) return [says("lies outside of node_modules")];
  if (entry.link === true) return [says("is a link to a folder")];
  const problems: string[] = [];
  if (!exact.test(entry.version ?? "")) problems.push(says("has no exact version"));
  // Where it is left out, npm asks the configured registry for that version; `integrity` holds for any registry.
  if (entry.resolved !== undefined && !entry.resolved.startsWith(registry))
    problems.push(says(`comes from ${entry.resolved}`));
  // A bundled package is a part of its parent's archive, which has its own.
  if (entry.inBundle !== true && !sha512.test(entry.integrity ?? "")) problems.push(says("has no SHA-512"));
  return problems;
}

/** package.json and the lockfile speak of the same packages, at exact versions. */
function manifestProblems({ packages }: Lockfile, manifest: Manifest): readonly string[] {
  const { dependencies, devDependencies, optionalDependencies } = manifest;
  const wanted = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies });
  return wanted.flatMap(([name, version]) => {
    if (!exact.test(version)) return [`package.json: ${name} is not at an exact version (${version})`];
    const locked = packages[`node_modules/${name}`]?.version;
    return locked === version
      ? []
      : [`package.json wants ${name} ${version}, the lockfile has ${locked ?? "none"}`];
  });
}

function scriptProblems(
  installed: readonly (readonly [string, z.output<typeof entrySchema>])[],
  { allowScripts }: Manifest,
): readonly string[] {
  const withScript = new Set(
    installed.filter(([, entry]) => entry.hasInstallScript === true).map(([path]) => nameOf(path)),
  );
  const unknown = [...withScript].filter((name) => !Object.hasOwn(allowScripts, name));
  const stale = Object.keys(allowScripts).filter((name) => !withScript.has(name));
  return [
    ...unknown.map(
      (name) => `${name} brings an install script that package.json's allowScripts does not name`,
    ),
    ...stale.map((name) => `package.json's allowScripts names ${name}, which brings no install script`),
  ];
}
