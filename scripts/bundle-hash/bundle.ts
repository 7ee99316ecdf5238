import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, sep } from "node:path";
import { buildDashboard } from "../build-dashboard/build.ts";
import { dryRun } from "../lib/dry-run.ts";

const sha256 = (data: Buffer | string): string => createHash("sha256").update(data).digest("hex");

export interface Bundle {
  /** SHA-256 of `manifest`, hexadecimal. */
  readonly hash: string;
  /** One line for each part of what is uploaded: its SHA-256, two blanks, its name. */
  readonly manifest: string;
}

/**
 * Builds what a deployment of this folder uploads and hashes it: the worker's script, every file of the page, and the
 * compatibility date and flags that decide how the script runs. Source maps are left out, which run nowhere, and
 * variables, which differ between deployments.
 */
export async function hashBundle(): Promise<Bundle> {
  const folder = await mkdtemp(join(tmpdir(), "bindify-bundle-"));
  try {
    const page = join(folder, "page");
    const script = join(folder, "worker");
    await buildDashboard({ folder: page });
    // The page is built here, so that the folder of a running instance stays as it is.
    let compatibility = "";
    await dryRun(script, (config) => {
      compatibility = readCompatibility(config);
      return config
        .replace(/^\[build\]\n.*\n/m, "")
        .replace(/^directory = .*$/m, `directory = ${JSON.stringify(page)}`);
    });
    const parts = [
      `${sha256(compatibility)}  compatibility`,
      ...(await linesOf(script, "worker")).filter((line) => !/\.map$|README\.md$/.test(line)),
      ...(await linesOf(page, "page")),
    ];
    const manifest = `${parts.join("\n")}\n`;
    return { hash: sha256(manifest), manifest };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function readCompatibility(config: string): string {
  return (config.match(/^compatibility_(?:date|flags) = .*$/gm) ?? []).join("\n");
}

/** The files of a folder in the order of their names' bytes. */
async function linesOf(folder: string, name: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const lines = await Promise.all(
    files.map(async (file) => ({
      path: `${name}/${relative(folder, file).split(sep).join("/")}`,
      hash: sha256(await readFile(file)),
    })),
  );
  return lines.toSorted((a, b) => (a.path < b.path ? -1 : 1)).map(({ path, hash }) => `${hash}  ${path}`);
}
