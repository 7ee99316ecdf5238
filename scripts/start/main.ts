import { stop as stopEsbuild } from "esbuild";
import { buildDashboard } from "../build-dashboard/build.ts";
import { startDemoService } from "../demo-service/demo-service.ts";
import { Problem, readArguments, runCommand } from "../lib/command.ts";
import { ensurePrivateFolder, stateDir } from "../lib/files.ts";
import { findInstance, removeInstance, writeInstance } from "../lib/instance.ts";
import { signInLink, signLocalToken } from "../lib/local-token.ts";
import { startLocalWorker } from "../lib/local-worker.ts";
import { ensureSecrets, publicIdentityKey } from "../lib/secrets.ts";
import { startControl } from "./control.ts";
import { startCron } from "./cron.ts";
import { startFront } from "./front.ts";
import { createManagedKeys } from "./managed-keys.ts";
import { readPort, requireFreePort } from "./ports.ts";
import { openLog } from "./log.ts";
import { onStop, type Stopping } from "./stop.ts";
import { shown, welcome } from "./welcome.ts";

const usage = `
npm start

Runs Bindify on this machine: the worker with its database, storage, rate limits and cron, the page, and a demo
service to connect. Ctrl-C stops all of it; the data stays, and the next start finds it.

  PORT        port of the worker and the page; default 8787
  DEMO_PORT   port of the demo service; default 8788
  STATE_DIR   folder of the data, the secrets and the log; default .local

  BRAND_NAME, SUPPORT_URL and PAUSED_SERVICES are handed on to the worker.
`;

/** Variables of the worker that may be tried out locally; the others decide who may sign in and what is stored. */
const handedOn = ["BRAND_NAME", "SUPPORT_URL", "PAUSED_SERVICES"];

await runCommand(usage, async () => {
  readArguments({ options: {} });
  const port = readPort("PORT", 8787);
  const demoPort = readPort("DEMO_PORT", 8788);
  if (port === demoPort)
    throw new Problem(`PORT and DEMO_PORT are both ${port}: set one of them to another port.`);

  const folder = stateDir();
  await ensurePrivateFolder(folder);
  const other = await findInstance(folder);
  if (other !== undefined) {
    throw new Problem(
      `Bindify already runs over ${shown(folder)}, at ${other.url}. Stop it first, or set STATE_DIR to another folder.`,
    );
  }
  await requireFreePort(port, "PORT", "the worker");
  await requireFreePort(demoPort, "DEMO_PORT", "the demo service");

  const stopping = onStop(() => removeInstance(folder));
  try {
    await start({ folder, port, demoPort, stopping });
    return undefined;
  } catch (error) {
    await stopping.run();
    throw error;
  }
});

interface Start {
  readonly folder: string;
  readonly port: number;
  readonly demoPort: number;
  readonly stopping: Stopping;
}

async function start({ folder, port, demoPort, stopping }: Start): Promise<void> {
  const url = `http://127.0.0.1:${port}`;
  const claim = { pid: process.pid, url, demoUrl: `http://127.0.0.1:${demoPort}` };
  await writeInstance(folder, { ...claim, control: null, ready: false });
  const secrets = await ensureSecrets(folder);
  await buildDashboard();
  const demo = await startDemoService({ port: demoPort });
  stopping.add(() => demo.close());
  const log = await openLog(folder);
  stopping.add(() => log.close());
  const variables = {
    ...Object.fromEntries(handedOn.map((name) => [name, process.env[name] ?? ""])),
    PUBLIC_URL: url,
    ADMIN_URL: url,
    SECRET_ENV: "test",
    // No invocation here has a limit of queries.
    BACKGROUND_BUDGET: "50",
    MANAGED_ENCRYPTION_KEYS: JSON.stringify(secrets.managedKeys),
    LOCAL_IDENTITY_KEY: publicIdentityKey(secrets),
    DEMO_SERVICE_URL: demo.url,
  };
  const worker = await startLocalWorker({ folder, publicUrl: url, variables, onLog: log.write });
  stopping.add(() => worker.close());
  await stopEsbuild();
  const front = await startFront({ port, workerPort: worker.port });
  stopping.add(() => front.close());
  await checkHealth(url, log.path);
  const cron = startCron(worker, (name, outcome) =>
    log.write("error", `cron "${name}" ended with: ${outcome}`),
  );
  stopping.add(() => cron.stop());
  const managedKeys = createManagedKeys({ folder, worker, front, cron, variables });
  const control = await startControl(folder, {
    query: (sql) => worker.query(sql),
    run_cron: async (name) => {
      await cron.run(name);
      return [];
    },
    put_managed_keys: async (text) => {
      await managedKeys.put(text);
      return [];
    },
  });
  stopping.add(() => control.close());
  await writeInstance(folder, { ...claim, demoUrl: demo.url, control: control.socket, ready: true });
  const link = signInLink({ url }, await signLocalToken({ url, folder }));
  console.log(welcome({ url, link, demoUrl: demo.url, folder: shown(folder), logFile: shown(log.path) }));
  console.log(`ready ${url}`);
}

async function checkHealth(url: string, logFile: string): Promise<void> {
  const response = await fetch(`${url}/healthz`);
  if (!response.ok) throw new Problem(`The worker does not start properly. ${shown(logFile)} says why.`);
}
