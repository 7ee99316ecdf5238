import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { build } from "esbuild";
import { root } from "../lib/files.ts";
import { admitHosts, type SignInHosts } from "./policy.ts";

const source = join(root, "src/dashboard");
export const dashboardFolder = join(root, "dist/dashboard");

/** What esbuild makes into `app.js` and `app.css`, or what only describes it. */
const bundled = new Set([".ts", ".tsx", ".css", ".json"]);

export interface Wanted {
  /** `dist/dashboard` unless told. */
  readonly folder?: string;
  /** What the page's policy has to admit for signing in. */
  readonly signIn?: SignInHosts;
}

/** Builds the page: `app.js`, `app.css`, its headers, and every other file as it is. */
export async function buildDashboard({ folder = dashboardFolder, signIn = {} }: Wanted = {}): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await build({
    absWorkingDir: root,
    entryPoints: { app: join(source, "main.tsx") },
    outdir: folder,
    bundle: true,
    format: "esm",
    target: "es2023",
    minify: true,
    legalComments: "none",
    tsconfig: join(source, "tsconfig.json"),
    logLevel: "silent",
  });
  for (const entry of await readdir(source, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || bundled.has(extname(entry.name))) continue;
    const from = join(entry.parentPath, entry.name);
    const to = join(folder, from.slice(source.length));
    await mkdir(dirname(to), { recursive: true });
    await copyFile(from, to);
  }
  const headers = join(folder, "_headers");
  await writeFile(headers, admitHosts(await readFile(headers, "utf8"), signIn));
}
