import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare, NoOpLog } from "miniflare";
import { unstable_splitSqlQuery } from "wrangler";
import type { Row, Rows } from "./control.ts";
import { applyMigrations } from "./migrations.ts";
import { bundleWorker, readWorkerOptions } from "./worker-config.ts";

export interface LocalWorkerOptions {
  /** Where the configuration and the data are kept. */
  readonly folder: string;
  /** The origin that people use; the worker itself listens on a port of the system's choice. */
  readonly publicUrl: string;
  /** The worker's variables and secrets. */
  readonly variables: Readonly<Record<string, string>>;
  /** Receives what the worker writes to its console. */
  readonly onLog: (level: string, message: string) => void;
}

export interface LocalWorker {
  /** Where the worker listens at this moment. */
  readonly port: () => number;
  readonly crons: readonly string[];
  /** Runs the scheduled handler as the platform would at `time`; answers its outcome, `ok` if all went well. */
  runCron(cron: string, time: Date): Promise<string>;
  /** Runs statements in one transaction; answers the rows of each. */
  query(sql: string): Promise<readonly Rows[]>;
  /** Ends the worker's process and starts another one with these variables; what it was doing is lost. */
  replace(variables: LocalWorkerOptions["variables"]): Promise<void>;
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
  const contents = await bundleWorker();
  const wanted = (variables: LocalWorkerOptions["variables"]) =>
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      publicUrl: options.publicUrl,
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
          bindings: { ...variables },
          modules: [{ type: "ESModule", path: "worker.js", contents }],
        },
      ],
    });
  const restoreSignals = keepSignals();
  const miniflare = new Miniflare(wanted(options.variables));
  restoreSignals();
  let address: URL;
  try {
    address = await miniflare.ready;
    await applyMigrations(await miniflare.getD1Database("DB"));
  } catch (error) {
    await miniflare.dispose();
    throw error;
  }
  return {
    port: () => Number(address.port),
    crons,
    async runCron(cron, time) {
      const trigger = new URL("/cdn-cgi/local/scheduled", address);
      trigger.searchParams.set("cron", cron);
      trigger.searchParams.set("time", String(time.getTime()));
      const response = await fetch(trigger);
      return (await response.text()) || `HTTP ${response.status}`;
    },
    async query(sql) {
      const database = await miniflare.getD1Database("DB");
      const statements = unstable_splitSqlQuery(sql).map((statement) => database.prepare(statement));
      const results = await database.batch<Row>(statements);
      return results.map(({ results: rows }) => rows);
    },
    async replace(variables) {
      await miniflare.setOptions(wanted(variables));
      address = await miniflare.ready;
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
