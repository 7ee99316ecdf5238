import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from "wrangler";
import { dashboardFolder } from "../build-dashboard/build.ts";
import { root } from "./files.ts";

const { stringify } = JSON;

interface WorkerOptions {
  readonly options: Record<string, unknown>;
  readonly crons: readonly string[];
}

/**
 * The shipped configuration as Miniflare's options for one worker, without its variables: those belong to whoever
 * starts it. wrangler reads only files named `.toml`, so a copy with absolute paths is written to `folder`.
 */
export async function readWorkerOptions(folder: string): Promise<WorkerOptions> {
  const shipped = await readFile(join(root, "wrangler.toml.example"), "utf8");
  const path = join(folder, "wrangler.toml");
  await writeFile(
    path,
    shipped
      .replace(/^main = .*$/m, `main = ${stringify(join(root, "src/worker.ts"))}`)
      .replace(/^directory = .*$/m, `directory = ${stringify(dashboardFolder)}`)
      .replace(/^migrations_dir = .*$/m, `migrations_dir = ${stringify(join(root, "migrations"))}`),
  );
  const { workerOptions } = unstable_getMiniflareWorkerOptions(path);
  const { modulesRules: _rules, bindings: _variables, ...options } = workerOptions;
  return { options, crons: unstable_readConfig({ config: path }).triggers.crons ?? [] };
}

/** Bundles a worker the way wrangler resolves it: the conditions of workerd, Node's and Cloudflare's modules outside. */
export async function bundleWorker(
  entryPoint = join(root, "src/worker.ts"),
  plugins: readonly Plugin[] = [],
): Promise<string> {
  const result = await build({
    absWorkingDir: root,
    entryPoints: [entryPoint],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
    define: { "process.env.NODE_ENV": '"production"' },
    keepNames: false,
    logLevel: "silent",
    plugins: [...plugins],
  });
  const [bundle] = result.outputFiles;
  if (bundle === undefined) throw new Error("esbuild wrote nothing");
  return bundle.text;
}
