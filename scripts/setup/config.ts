import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Problem } from "../lib/command.ts";
import { codeOf, root } from "../lib/files.ts";
import { readFilling } from "../lib/wrangler-toml.ts";

/** The configuration of the first deployment; one elsewhere is another deployment's. */
export const firstConfig = join(root, "wrangler.toml");

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
    return undefined;
  }
}

/**
 * The operator's configuration; the shipped one where there is none yet. Another deployment's says itself what its
 * worker is called, so that it takes nothing from the first. @throws Problem
 */
export async function readConfig(path: string, first = firstConfig): Promise<string> {
  const config =
    (await readIfThere(path)) ??
    (path === first ? await readFile(join(root, "wrangler.toml.example"), "utf8") : undefined);
  if (config === undefined) {
    throw new Problem(
      `${path} does not exist. For a second deployment copy wrangler.toml.example there and give it another name and ` +
        "database_name; then run this again.",
    );
  }
  const { workerName } = readFilling(config);
  if (workerName === "") {
    throw new Problem(
      `${path} does not say what its worker is called: it needs a line name = "…" at its top.`,
    );
  }
  if (path === first) return config;
  if (workerName === readFilling((await readIfThere(first)) ?? "").workerName) {
    throw new Problem(
      `${path} names its worker ${workerName}, as wrangler.toml does: it would replace that one. Give it another name.`,
    );
  }
  return config;
}
