import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare, NoOpLog } from "miniflare";
import { applyMigrations } from "./migrations.ts";
import { bundleWorker, readWorkerOptions } from "./worker-config.ts";

export interface LocalWorkerOptions {
  /** Where the configuration and the data are kept. */
  readonly folder: string;
  readonly port: number;
  /** The worker's variables and secrets. */
  readonly variables: Readonly<Record<string, string>>;
  /** Receives what the worker writes to its console. */
  readonly onLog: (level: string, message: string) => void;
}

export interface LocalWorker {
  readonly url: string;
  readonly crons: readonly string[];
  /** Runs the scheduled handler as the platform would at `time`; answers its outcome, `ok` if all went well. */
  runCron(cron: string, time: Date): Promise<string>;
  close(): Promise<void>;
}

/**
 * Starts the worker in workerd, with real local D1, KV, assets and rate limits, and its schema migrated.
 *
 * Miniflare, not `wrangler dev`: that one records every request's URL, and with it secret URLs, in a local trace
 * store, and puts a second worker before ours that costs most of the throughput.
 */
export async function startLocalWorker(options: LocalWorkerOptions): Promise<LocalWorker> {
  // A set of other programs' switches, read when Miniflare starts: no request leaves the machine.
  process.env["CLOUDFLARE_CF_FETCH_ENABLED"] = "false";
  const { options: shipped, crons } = await readWorkerOptions(options.folder);
  const host = "127.0.0.1";
  const url = `http://${host}:${options.port}`;
  const restoreSignals = keepSignals();
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host,
      port: options.port,
      publicUrl: url,
      cf: false,
      log: new NoOpLog(),
      logRequests: false,
      handleStructuredLogs: ({ level, message }) => options.onLog(level, message),
      handleUncaughtError: (error) => options.onLog("error", `uncaught ${error.name}`),
      unsafeObservability: false,
      unsafeLocalExplorer: false,
      unsafeTriggerHandlers: true,
      resourcePersistencePath: join(options.folder, "v3"),
      resourceTmpPath: join(options.folder, "tmp"),
      workers: [
        {
          ...shipped,
          bindings: { ...options.variables },
          modules: [{ type: "ESModule", path: "worker.js", contents: await bundleWorker() }],
        },
      ],
    }),
  );
  restoreSignals();
  try {
    await miniflare.ready;
    await applyMigrations(await miniflare.getD1Database("DB"));
  } catch (error) {
    await miniflare.dispose();
    throw error;
  }
  return {
    url,
    crons,
    async runCron(cron, time) {
      const address = new URL("/cdn-cgi/local/scheduled", url);
      address.searchParams.set("cron", cron);
      address.searchParams.set("time", String(time.getTime()));
      const response = await fetch(address);
      return (await response.text()) || `HTTP ${response.status}`;
    },
    close: () => miniflare.dispose(),
  };
}

/**
 * Miniflare ends the process at once when a signal comes, before the caller could stop in order. Answers a function
 * that takes away the listeners added since; its listener for the process's exit, which ends workerd, stays.
 */
function keepSignals(): () => void {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const before = new Map(signals.map((signal) => [signal, process.listeners(signal)]));
  return () => {
    for (const signal of signals) {
      for (const listener of process.listeners(signal)) {
        if (!before.get(signal)?.includes(listener)) process.removeListener(signal, listener);
      }
    }
  };
}
