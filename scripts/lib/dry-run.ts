import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Problem } from "./command.ts";
import { root } from "./files.ts";
import { wrangler } from "./wrangler.ts";
import { fillConfig } from "./wrangler-toml.ts";

/** Ids that have the right form and belong to nobody. */
const placeholders = {
  databaseId: "00000000-0000-4000-8000-000000000000",
  blobsId: "00000000000000000000000000000000",
};

/**
 * Builds what `wrangler deploy` would upload of the shipped configuration into `outdir`, and answers what wrangler
 * said. The copy of the configuration lies at the root, as an operator's does: the paths that the bundle names are
 * relative to it. `edit` changes the copy.
 */
export async function dryRun(
  outdir: string,
  edit: (config: string) => string = (config) => config,
): Promise<string> {
  const shipped = await readFile(join(root, "wrangler.toml.example"), "utf8");
  const path = join(root, `.wrangler-dry-run-${process.pid}.toml`);
  await writeFile(path, edit(fillConfig(shipped, placeholders)));
  try {
    const { code, stdout, stderr } = await wrangler([
      "deploy",
      "--dry-run",
      "--config",
      path,
      "--outdir",
      outdir,
    ]);
    if (code !== 0) throw new Problem(`wrangler deploy --dry-run failed:\n${stdout}${stderr}`);
    return stdout + stderr;
  } finally {
    await rm(path, { force: true });
  }
}
