import { fork } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { z } from "zod";
import { bundleWorker, readWorkerOptions } from "../lib/worker-config.ts";
import { type Bindings, bindifyBindings, connect } from "./bindify.ts";
import { post, type Target } from "./client.ts";
import type { RowName } from "./options.ts";
import { childrenNamed } from "./proc.ts";

/** One thing under measurement, serving. */
export interface Row extends Target {
  readonly name: RowName | "counted";
  /** The workerd process; undefined for the upstream itself and where there is no /proc. */
  readonly pid: number | undefined;
  readonly stop: () => Promise<void>;
}

/** What all rows of a run share. */
export interface Bench {
  readonly upstream: Row;
  /** A folder of this run, for secrets and configuration. */
  readonly folder: string;
}

const upstreamKey = randomBytes(24).toString("base64url");

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Row a, and the upstream of all others. */
export async function startUpstream(): Promise<Row> {
  const child = fork(file("upstream.ts"), { env: { ...process.env, BENCH_UPSTREAM_KEY: upstreamKey } });
  const [port]: unknown[] = await once(child, "message");
  return {
    name: "a",
    url: `http://127.0.0.1:${String(port)}/mcp`,
    authorization: `Bearer ${upstreamKey}`,
    pid: undefined,
    stop: async () => {
      const gone = once(child, "exit");
      child.disconnect();
      await gone;
    },
  };
}

const compatibility = z.object({ compatibilityDate: z.string(), compatibilityFlags: z.array(z.string()) });

interface Started {
  readonly miniflare: Miniflare;
  readonly origin: string;
  readonly pid: number | undefined;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}

/** Every worker starts here, so that rows differ in nothing but their code and bindings. */
export async function startWorker(
  { folder }: Bench,
  entry: string,
  bindings: (origin: string) => Bindings | Promise<Bindings>,
  inspectorPort?: number,
): Promise<Started> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const known = childrenNamed("workerd");
  // Date and flags as shipped: the flags for request signals change what a request costs.
  const shipped = compatibility.parse((await readWorkerOptions(folder)).options);
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      log: new Log(LogLevel.ERROR),
      telemetry: { enabled: false },
      cf: false,
      unsafeObservability: false,
      unsafeLocalExplorer: false,
      ...(inspectorPort === undefined ? {} : { inspectorPort }),
      modules: [{ type: "ESModule", path: "worker.mjs", contents: await bundleWorker(file(entry)) }],
      ...shipped,
      ...(await bindings(origin)),
      // Miniflare's entry worker adds a hop and touches headers; production has no such thing.
      unsafeDirectSockets: [{ host: "127.0.0.1", port }],
    }),
  );
  await miniflare.ready;
  return { miniflare, origin, pid: childrenNamed("workerd").find((pid) => !known.includes(pid)) };
}

export async function startPassthrough(bench: Bench, inspectorPort?: number): Promise<Row> {
  const bindings = { bindings: { UPSTREAM: bench.upstream.url } };
  const { miniflare, origin, pid } = await startWorker(
    bench,
    "workers/passthrough.ts",
    () => bindings,
    inspectorPort,
  );
  return { ...bench.upstream, name: "b", url: `${origin}/mcp`, pid, stop: () => miniflare.dispose() };
}

async function startWithRead(name: "b+" | "f", entry: string, bench: Bench): Promise<Row> {
  const { miniflare, origin, pid } = await startWorker(bench, entry, () => ({ d1Databases: ["DB"] }));
  const db = await miniflare.getD1Database("DB");
  await db.exec("CREATE TABLE bench (id TEXT PRIMARY KEY, url TEXT NOT NULL, blob TEXT NOT NULL) STRICT");
  // About what a proxy has to know of a connection.
  await db
    .prepare("INSERT INTO bench VALUES (?1, ?2, ?3)")
    .bind("connection", bench.upstream.url, "x".repeat(512))
    .run();
  return { ...bench.upstream, name, url: `${origin}/mcp`, pid, stop: () => miniflare.dispose() };
}

const entries = {
  c: "workers/bindify.ts",
  c0: "workers/stubbed.ts",
  counted: "workers/counted.ts",
} as const;

/** A row that runs Bindify, with a connection to the upstream already made. */
export async function startBindify(
  name: keyof typeof entries,
  bench: Bench,
  inspectorPort?: number,
): Promise<Row> {
  const { folder, upstream } = bench;
  const { miniflare, origin, pid } = await startWorker(
    bench,
    entries[name],
    (own) => bindifyBindings(folder, own),
    inspectorPort,
  );
  const target = { url: upstream.url, key: upstreamKey };
  const { url, apiKey } = await connect({ miniflare, folder, origin, upstream: target });
  const row: Row = { name, url, authorization: `Bearer ${apiKey}`, pid, stop: () => miniflare.dispose() };
  await check(row);
  if (name === "c0") {
    const { status } = await fetch(new URL("/__bench/freeze", url), { method: "POST" });
    if (status !== 204) throw new Error(`row c0 cannot be cut off from storage: ${status}`);
    await check(row);
  }
  return row;
}

/** That the upstream is reached, and with its own key. */
async function check(row: Row): Promise<void> {
  const { head } = await post(row, "json");
  if (!head.includes(`"authorized":true`))
    throw new Error(`row ${row.name}: the upstream did not get its key: ${head}`);
}

const starters: Record<RowName, (bench: Bench) => Promise<Row>> = {
  a: ({ upstream }) => Promise.resolve({ ...upstream, stop: () => Promise.resolve() }),
  b: (bench) => startPassthrough(bench),
  "b+": (bench) => startWithRead("b+", "workers/passthrough-d1.ts", bench),
  f: (bench) => startWithRead("f", "workers/floor.ts", bench),
  c: (bench) => startBindify("c", bench),
  c0: (bench) => startBindify("c0", bench),
};

export async function startRow(name: RowName, bench: Bench): Promise<Row> {
  return await starters[name](bench);
}
