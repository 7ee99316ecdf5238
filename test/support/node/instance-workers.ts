import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { V4WorkerOptions } from "miniflare";
import { z } from "zod";
import { buildDashboard } from "../../../scripts/build-dashboard/build.ts";
import { signInHosts } from "../../../scripts/build-dashboard/policy.ts";
import { bundleWorker, readWorkerOptions } from "../../../scripts/lib/worker-config.ts";

/** Begins the lines that carry a trace. */
export const traceMark = "trace ";

const rate = z.object({
  namespace_id: z.string(),
  simple: z.object({ limit: z.number(), period: z.literal([10, 60]) }),
});
const shippedSchema = z.looseObject({
  compatibilityDate: z.string(),
  assets: z.looseObject({ directory: z.string() }),
  ratelimits: z.record(z.string(), rate),
});

/** Tells what the platform would have recorded of each invocation of the worker. */
const tailScript = `export default {
  tail(items) {
    for (const { event, outcome, exceptions, logs } of items) {
      const url = event?.request?.url;
      console.log(${JSON.stringify(traceMark)} + JSON.stringify({ url, outcome, exceptions, logs }));
    }
  },
};`;

interface WantedWorkers {
  readonly folder: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly page: boolean;
  readonly unlimited: boolean;
  readonly twinPort: number | undefined;
  readonly twinVariables: Readonly<Record<string, string>>;
  readonly entry: string | undefined;
}

/** The shipped configuration as Miniflare's workers: the first, its twin if wanted, and who listens to them. */
export async function instanceWorkers({
  folder,
  variables,
  page,
  unlimited,
  twinPort,
  twinVariables,
  entry,
}: WantedWorkers): Promise<{ workers: V4WorkerOptions[]; crons: readonly string[] }> {
  const { options: read, crons } = await readWorkerOptions(folder);
  const { assets, ratelimits, ...shipped } = shippedSchema.parse(read);
  // Of its own: tests run side by side, and a build begins by emptying its folder.
  assets.directory = join(folder, "page");
  if (page) await buildDashboard({ folder: assets.directory, signIn: signInHosts(variables) });
  else await mkdir(assets.directory);
  if (unlimited) for (const { simple } of Object.values(ratelimits)) simple.limit = 1e9;
  const first: V4WorkerOptions = {
    ...shipped,
    name: "bindify",
    assets,
    ratelimits,
    bindings: { ...variables },
    tails: ["tail"],
    modules: [{ type: "ESModule", path: "worker.js", contents: await bundleWorker(entry) }],
  };
  const tail: V4WorkerOptions = {
    name: "tail",
    compatibilityDate: shipped.compatibilityDate,
    modules: [{ type: "ESModule", path: "tail.js", contents: tailScript }],
  };
  if (twinPort === undefined) return { workers: [first, tail], crons };
  // Miniflare's own entry worker, which the platform does not have, keeps a client's leaving to itself.
  const unsafeDirectSockets = [{ host: "127.0.0.1", port: twinPort }];
  const bindings = { ...variables, ...twinVariables };
  return { workers: [first, { ...first, name: "twin", bindings, unsafeDirectSockets }, tail], crons };
}
