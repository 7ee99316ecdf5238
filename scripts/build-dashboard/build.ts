import { copyFile, mkdir, readdir, rm } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { build } from "esbuild";
import { root } from "../lib/files.ts";

const source = join(root, "src/dashboard");
export const dashboardFolder = join(root, "dist/dashboard");

/** What esbuild makes into `app.js` and `app.css`, or what only describes it. */
const bundled = new Set([".ts", ".tsx", ".css", ".json"]);

/** Builds the page into `dist/dashboard` unless told: `app.js`, `app.css`, and every other file as it is. */
export async function buildDashboard(folder: string = dashboardFolder): Promise<void> {
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
}
