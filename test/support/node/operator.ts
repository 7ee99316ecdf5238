import { execFile } from "node:child_process";
import { appendFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import type { Haystack } from "../canary.ts";
import { cloneInto } from "./clone.ts";
import type { CloudflareDouble } from "./cloudflare-double/server.ts";
import { runCli, type Ended } from "./run-cli.ts";

const run = promisify(execFile);

/** Somebody with a clone of the repository who deploys it with the real wrangler. */
export interface Operator {
  /** The clone's folder. */
  readonly clone: string;
  /** The commit that it is at; undefined where there is no git. */
  readonly commit: string | undefined;
  /** Runs `scripts/NAME/main.ts` of the clone. */
  run(name: string, args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ended>;
  /** What programs were started with and what they printed, and every file that they left in the home folder. */
  traces(): Promise<readonly Haystack[]>;
}

/** Written into each Node process that is started: what any other program of the machine could read of it. */
const recorder = `import { appendFileSync } from "node:fs";
const { argv, execArgv, env } = process;
appendFileSync(process.env.STARTED, JSON.stringify({ argv, execArgv, env }) + "\\n");
`;

export async function createOperator(folder: string, double: CloudflareDouble): Promise<Operator> {
  const clone = join(folder, "clone");
  const home = join(folder, "home");
  const started = join(folder, "started");
  const printed = join(folder, "printed");
  const temporary = join(folder, "tmp");
  await mkdir(home);
  await mkdir(temporary);
  await cloneInto(clone);
  await writeFile(join(folder, "recorder.mjs"), recorder);
  const environment = {
    HOME: home,
    XDG_CONFIG_HOME: join(home, ".config"),
    // What wrangler remembers between its runs, such as when it last asked npm for an update, is the machine's otherwise.
    TMPDIR: temporary,
    STATE_DIR: join(folder, "state"),
    CLOUDFLARE_API_BASE_URL: double.url,
    CLOUDFLARE_API_TOKEN: double.account.token,
    CLOUDFLARE_ACCOUNT_ID: double.account.id,
    // Whoever else is asked is asked through the double, which writes it down.
    HTTPS_PROXY: new URL(double.url).origin,
    NO_PROXY: "127.0.0.1",
    no_proxy: "127.0.0.1",
    NODE_ENV: "production",
    NODE_OPTIONS: `--import=${pathToFileURL(join(folder, "recorder.mjs")).href}`,
    // wrangler is large, and a deployment starts it a dozen times.
    NODE_COMPILE_CACHE: join(folder, "compiled"),
    // An operator may have asked for requests in the log of wrangler; a key must not get there all the same.
    WRANGLER_LOG_SANITIZE: "false",
    STARTED: started,
  };
  return {
    clone,
    commit: await commitIn(clone),
    async run(name, args, env = {}) {
      const script = join(clone, "scripts", name, "main.ts");
      const ended = await runCli(script, args, {
        env: { ...environment, ...env },
        limit: 100_000,
      });
      await appendFile(printed, `${ended.stdout}\n${ended.stderr}\n`);
      return ended;
    },
    async traces() {
      const entries = await readdir(home, { recursive: true, withFileTypes: true });
      const left = entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name));
      const files = [started, printed, ...left];
      return await Promise.all(
        files.map(async (place) => ({ place, text: await readFile(place, "latin1") })),
      );
    },
  };
}

/** Makes the folder a repository with one commit. */
async function commitIn(cwd: string): Promise<string | undefined> {
  const own = ["-c", "user.name=operator", "-c", "user.email=operator@example.com"];
  try {
    await run("git", ["init", "--quiet"], { cwd });
    await run("git", [...own, "commit", "--quiet", "--allow-empty", "--message", "clone"], { cwd });
    return (await run("git", ["rev-parse", "HEAD"], { cwd })).stdout.trim();
  } catch {
    return undefined;
  }
}
