import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { root } from "./files.ts";

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface WranglerOptions {
  /** Sent to its standard input: where a secret goes, which no argument may hold. */
  readonly input?: string;
  /** Let the person at the keyboard talk to it; then nothing is captured. */
  readonly interactive?: boolean;
}

/** No request on wrangler's own account, and no question where nobody can answer. */
const quiet = {
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_HIDE_BANNER: "true",
  // Its log file would hold the bodies of requests: a secret among them.
  WRANGLER_LOG_SANITIZE: "true",
  NO_COLOR: "1",
};

const text = (chunks: readonly Buffer[]) => stripVTControlCharacters(Buffer.concat(chunks).toString("utf8"));

/** Runs the installed wrangler at the repository's root; WRANGLER_PATH names another script for the same Node. */
export async function wrangler(args: readonly string[], options: WranglerOptions = {}): Promise<Ended> {
  const script = process.env["WRANGLER_PATH"] || join(root, "node_modules/wrangler/bin/wrangler.js");
  const { input, interactive = false } = options;
  const child = spawn(process.execPath, [script, ...args], {
    cwd: root,
    env: { ...process.env, ...quiet, ...(interactive ? {} : { CI: "true" }) },
    stdio: interactive ? "inherit" : "pipe",
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => err.push(chunk));
  // Who ended early reads no input; how it ended says why.
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(input ?? "");
  await once(child, "close");
  return { code: child.exitCode ?? 1, stdout: text(out), stderr: text(err) };
}
