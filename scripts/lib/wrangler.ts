import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { Problem } from "./command.ts";
import { codeOf, root } from "./files.ts";

export interface Ended {
  /** Null where it did not end by itself. */
  readonly code: number | null;
  /** What to say after "wrangler" where it did not work. */
  readonly how: string;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program and its first arguments. */
export type Command = readonly [string, ...string[]];

export interface WranglerOptions {
  /** Sent to its standard input: where a secret goes, which no argument and no environment may hold. */
  readonly input?: string;
  /** Let the person at the keyboard talk to it; then nothing is captured, and it may take as long as it likes. */
  readonly interactive?: boolean;
  /** Variables of its environment besides. */
  readonly env?: Readonly<Record<string, string>>;
  /** How long it may take, ms; 10 minutes unless told. */
  readonly limit?: number;
  /** Instead of the installed one, or of the script that WRANGLER_PATH names. */
  readonly command?: Command;
}

/** No request on wrangler's own account (the banner asks npm for updates), and no secret in its log file. */
const quiet = {
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_HIDE_BANNER: "true",
  // Its debug log leaves the bodies of requests out only while this says so: a secret is among them.
  WRANGLER_LOG_SANITIZE: "true",
  NO_COLOR: "1",
};

const text = (chunks: readonly Buffer[]) => stripVTControlCharacters(Buffer.concat(chunks).toString("utf8"));

const installed = (): Command => [
  process.execPath,
  process.env["WRANGLER_PATH"] || join(root, "node_modules/wrangler/bin/wrangler.js"),
];

/**
 * Runs wrangler at the repository's root, with a list of arguments and never through a shell. Throws `Problem` where it
 * cannot be started.
 */
export async function wrangler(args: readonly string[], options: WranglerOptions = {}): Promise<Ended> {
  const { input = "", interactive = false, env, limit = 600_000, command = installed() } = options;
  const [program, ...first] = command;
  const start = () =>
    spawn(program, [...first, ...args], {
      cwd: root,
      // No question where nobody can answer.
      env: { ...process.env, ...quiet, ...env, ...(interactive ? {} : { CI: "true" }) },
      stdio: interactive ? "inherit" : "pipe",
    });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const follow = async (child: ChildProcess): Promise<Pick<Ended, "code" | "how">> => {
    const stopping = interactive ? undefined : stopAfter(child, limit);
    child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr?.on("data", (chunk: Buffer) => err.push(chunk));
    // Who ended early reads no input; how it ended says why.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
    try {
      await once(child, "close");
    } finally {
      stopping?.cancel();
    }
    if (stopping?.isLate() === true) return { code: null, how: `did not end within ${limit / 1000} s` };
    return { code: child.exitCode, how: `failed (${exitOf(child)})` };
  };
  try {
    return { ...(await follow(start())), stdout: text(out), stderr: text(err) };
  } catch (error) {
    throw new Problem(`wrangler cannot be started (${codeOf(error)}).`);
  }
}

const exitOf = ({ exitCode, signalCode }: ChildProcess) =>
  exitCode === null ? `ended by ${signalCode}` : `exit code ${exitCode}`;

/**
 * What `wrangler` runs is a program that starts another: it hands SIGTERM on, where there are signals, and SIGKILL would
 * leave the other alone. Whoever is left may hold the streams open.
 */
function stopAfter(child: ChildProcess, limit: number) {
  let isLate = false;
  const letGo = () => {
    child.stdout?.destroy();
    child.stderr?.destroy();
  };
  let timer = setTimeout(() => {
    if (child.exitCode !== null || child.signalCode !== null) {
      letGo();
      return;
    }
    isLate = true;
    child.kill("SIGTERM");
    timer = setTimeout(() => {
      child.kill("SIGKILL");
      letGo();
    }, 2000);
  }, limit);
  return { cancel: () => clearTimeout(timer), isLate: () => isLate };
}
