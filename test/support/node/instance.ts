import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare, NoOpLog } from "miniflare";
import { z } from "zod";
import { childrenNamed } from "../../../scripts/bench/proc.ts";
import { startDemoService } from "../../../scripts/demo-service/demo-service.ts";
import { signInLink, signLocalToken } from "../../../scripts/lib/local-token.ts";
import { applyMigrations } from "../../../scripts/lib/migrations.ts";
import { ensureSecrets, publicIdentityKey } from "../../../scripts/lib/secrets.ts";
import { freePort } from "./free-port.ts";
import { instanceWorkers, traceMark } from "./instance-workers.ts";
import type { SourcePatch } from "./source-patches.ts";

export interface InstanceOptions {
  /** Variables of the worker, besides those that every instance has. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Start the demo service beside it; true unless told. */
  readonly demo?: boolean;
  /** Build and serve the page; true unless told. */
  readonly page?: boolean;
  /** A second worker over the same database and blobs, in an isolate of its own: another place of the network. */
  readonly twin?: boolean;
  /** Variables of the twin that differ. */
  readonly twinVariables?: Readonly<Record<string, string>>;
  /** Lift the rate limits; true unless told. */
  readonly unlimited?: boolean;
  /** Another entry point than the worker's own, by its path below the repository. */
  readonly entry?: string;
  /** Changes to the worker's source, made while it is bundled. */
  readonly patches?: readonly SourcePatch[];
  /** Hosts whose requests go to another origin: `{"api.example.com": "http://127.0.0.1:1234"}`. */
  readonly hosts?: Readonly<Record<string, string>>;
}

const connectionSchema = z.looseObject({ id: z.string(), status: z.string(), upstream_url: z.string() });
const connectedSchema = z.object({
  connection: connectionSchema,
  credential: z.object({ secret_url: z.string(), api_key: z.string(), mcp_url: z.string() }),
});

const traceSchema = z.object({
  url: z.string().optional(),
  outcome: z.string(),
  exceptions: z.array(z.unknown()),
  logs: z.array(z.unknown()),
});
export type Trace = z.output<typeof traceSchema>;

export interface Connected {
  readonly connection: z.output<typeof connectionSchema>;
  readonly secretUrl: string;
  readonly apiKey: string;
  /** The address that the API key goes with. */
  readonly mcpUrl: string;
}

export interface WantedConnection {
  /** `custom` unless told; then `url` is needed. */
  readonly service?: string;
  readonly url?: string;
  readonly key: string;
  readonly storage?: "zero_knowledge" | "managed";
  readonly user?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

type Database = Awaited<ReturnType<Miniflare["getD1Database"]>>;
type Blobs = Awaited<ReturnType<Miniflare["getKVNamespace"]>>;

export interface Instance {
  readonly url: string;
  /** Origin of the second worker; the first one's where there is none. */
  readonly twinUrl: string;
  /** Origin of the demo service; empty where it was not wanted. */
  readonly demoUrl: string;
  readonly folder: string;
  /** Process id of its workerd; undefined where there is no /proc. */
  readonly pid: number | undefined;
  readonly database: Database;
  readonly blobs: Blobs;
  /** What the worker wrote to its console. */
  readonly logs: { readonly level: string; readonly message: string }[];
  /** What the platform would have recorded of finished invocations: it would add the URL to each. */
  readonly traces: Trace[];
  token(user?: string): Promise<string>;
  signInLink(user?: string): Promise<string>;
  /** A call of the JSON API as `user`. */
  api(method: string, path: string, body?: unknown, user?: string): Promise<Answer>;
  connect(wanted: WantedConnection): Promise<Connected>;
  /** Runs the minute's jobs. */
  runCron(): Promise<void>;
  close(): Promise<void>;
}

/** Starts the worker as `npm start` does, on a free port and over a folder that `close` removes. */
export async function startInstance(options: InstanceOptions = {}): Promise<Instance> {
  const folder = await mkdtemp(join(tmpdir(), "bindify-test-"));
  const closing: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const close = async (): Promise<void> => {
    for (const step of closing.splice(0).toReversed()) await step();
  };
  try {
    return await start(options, folder, closing, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(
  options: InstanceOptions,
  folder: string,
  closing: (() => Promise<unknown>)[],
  close: () => Promise<void>,
): Promise<Instance> {
  const secrets = await ensureSecrets(folder);
  const demo = (options.demo ?? true) ? await startDemoService({ port: 0 }) : undefined;
  if (demo !== undefined) closing.push(() => demo.close());
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const logs: Instance["logs"] = [];
  const traces: Trace[] = [];
  const variables = {
    PUBLIC_URL: url,
    ADMIN_URL: url,
    SECRET_ENV: "test",
    BACKGROUND_BUDGET: "50",
    MANAGED_ENCRYPTION_KEYS: JSON.stringify(secrets.managedKeys),
    LOCAL_IDENTITY_KEY: publicIdentityKey(secrets),
    ...(demo === undefined ? {} : { DEMO_SERVICE_URL: demo.url }),
    ...options.variables,
  };
  const twinPort = options.twin ? await freePort() : undefined;
  const { page = true, unlimited = true, twinVariables = {} } = options;
  const { workers, crons } = await instanceWorkers({
    folder,
    variables,
    page,
    unlimited,
    twinPort,
    twinVariables,
    entry: options.entry,
    patches: options.patches ?? [],
    hosts: options.hosts ?? {},
  });
  const known = childrenNamed("workerd");
  // No request leaves the machine on Miniflare's own account.
  process.env["CLOUDFLARE_CF_FETCH_ENABLED"] = "false";
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port,
      publicUrl: url,
      cf: false,
      log: new NoOpLog(),
      logRequests: false,
      handleStructuredLogs: ({ level, message }) => {
        if (message.startsWith(traceMark)) {
          traces.push(traceSchema.parse(JSON.parse(message.slice(traceMark.length))));
        } else logs.push({ level, message });
      },
      handleUncaughtError: (error) => logs.push({ level: "uncaught", message: error.message }),
      telemetry: { enabled: false },
      unsafeObservability: false,
      unsafeLocalExplorer: false,
      unsafeTriggerHandlers: true,
      resourceTmpPath: join(folder, "tmp"),
      workers,
    }),
  );
  closing.push(() => miniflare.dispose());
  await miniflare.ready;
  const database = await miniflare.getD1Database("DB", "bindify");
  await applyMigrations(database);

  const token = (user?: string) => signLocalToken({ url, folder }, user);
  const api: Instance["api"] = async (method, path, body, user) => {
    const response = await fetch(new URL(path, url), {
      method,
      headers: {
        authorization: `Bearer ${await token(user)}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, headers: response.headers, body: await response.json() };
  };

  return {
    url,
    twinUrl: twinPort === undefined ? url : `http://127.0.0.1:${twinPort}`,
    demoUrl: demo?.url ?? "",
    folder,
    pid: childrenNamed("workerd").find((pid) => !known.includes(pid)),
    database,
    blobs: await miniflare.getKVNamespace("BLOBS", "bindify"),
    logs,
    traces,
    token,
    signInLink: async (user) => signInLink({ url }, await token(user)),
    api,
    connect: async ({ service = "custom", url: target, key, storage, user }) => {
      const wanted = { service, url: target, storage, fields: { api_key: key } };
      const { status, body } = await api("POST", "/api/connections", wanted, user);
      if (status !== 201) throw new Error(`no connection: ${status} ${JSON.stringify(body)}`);
      const { connection, credential } = connectedSchema.parse(body);
      const { secret_url: secretUrl, api_key: apiKey, mcp_url: mcpUrl } = credential;
      return { connection, secretUrl, apiKey, mcpUrl };
    },
    runCron: async () => {
      for (const cron of crons) {
        const address = new URL("/cdn-cgi/local/scheduled", url);
        address.searchParams.set("cron", cron);
        const outcome = await (await fetch(address)).text();
        if (outcome !== "ok") throw new Error(`cron ${cron} ended with ${outcome}`);
      }
    },
    close,
  };
}
