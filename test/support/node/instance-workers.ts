import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { V4WorkerOptions } from "miniflare";
import { z } from "zod";
import { buildDashboard } from "../../../scripts/build-dashboard/build.ts";
import { signInHosts } from "../../../scripts/build-dashboard/policy.ts";
import { bundleWorker, readWorkerOptions } from "../../../scripts/lib/worker-config.ts";
import { patchSources, type SourcePatch } from "./source-patches.ts";

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

/**
 * Tells what the platform would have recorded of each invocation of the worker. It blots out what looks like an id in
 * the URL, which is luck, and whoever tails may ask for the whole.
 */
const tailScript = `export default {
  tail(items) {
    for (const { event, outcome, exceptions, logs } of items) {
      const url = event?.request?.getUnredacted().url;
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
  readonly patches: readonly SourcePatch[];
  readonly hosts: Readonly<Record<string, string>>;
}

/** Sends requests to some hosts to a server on loopback instead; everything else goes where it was going. */
const networkScript = (hosts: Readonly<Record<string, string>>) => `const hosts = ${JSON.stringify(hosts)};
export default {
  fetch(request) {
    const { host, pathname, search } = new URL(request.url);
    const origin = hosts[host];
    return fetch(origin === undefined ? request : new Request(origin + pathname + search, request));
  },
};`;

/** The shipped configuration as Miniflare's workers: the first, its twin if wanted, and who listens to them. */
export async function instanceWorkers({
  folder,
  variables,
  page,
  unlimited,
  twinPort,
  twinVariables,
  entry,
  patches,
  hosts,
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
    ...(Object.keys(hosts).length === 0 ? {} : { outboundService: "network" }),
    modules: [
      { type: "ESModule", path: "worker.js", contents: await bundleWorker(entry, [patchSources(patches)]) },
    ],
  };
  const tail: V4WorkerOptions = {
    name: "tail",
    compatibilityDate: shipped.compatibilityDate,
    modules: [{ type: "ESModule", path: "tail.js", contents: tailScript }],
  };
  const network: V4WorkerOptions = {
    name: "network",
    compatibilityDate: shipped.compatibilityDate,
    modules: [{ type: "ESModule", path: "network.js", contents: networkScript(hosts) }],
  };
  const others = Object.keys(hosts).length === 0 ? [tail] : [tail, network];
  if (twinPort === undefined) return { workers: [first, ...others], crons };
  // Miniflare's own entry worker, which the platform does not have, keeps a client's leaving to itself.
  const unsafeDirectSockets = [{ host: "127.0.0.1", port: twinPort }];
  const bindings = { ...variables, ...twinVariables };
  return { workers: [first, { ...first, name: "twin", bindings, unsafeDirectSockets }, ...others], crons };
}
