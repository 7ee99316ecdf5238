import { copyFile, cp, link, mkdir, readdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import { codeOf, root } from "../../../scripts/lib/files.ts";

/** What a bundle is made of. */
const parts = [
  "src",
  "scripts",
  "migrations",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  "wrangler.toml.example",
];

/** The folder's files again under `to`, without copying their bytes where the file system allows it. */
async function linkTree(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await linkTree(source, target);
    else if (entry.isFile()) {
      try {
        await link(source, target);
      } catch (error) {
        if (codeOf(error) !== "EXDEV" && codeOf(error) !== "EPERM") throw error;
        await copyFile(source, target);
      }
    }
  }
}

/** Another clone of this very state, with dependencies of its own, as a stranger would have it. */
export async function cloneInto(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const part of parts) await cp(join(root, part), join(folder, part), { recursive: true });
  await linkTree(await realpath(join(root, "node_modules")), join(folder, "node_modules"));
}
