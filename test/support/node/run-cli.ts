import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { root } from "../../../scripts/lib/files.ts";
import { ownEnvironment } from "./environment.ts";

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** How long it ran, ms. */
  readonly ms: number;
}

/** The script of an installed package's command, below `node_modules`. */
export const scripts = {
  conformance: join(root, "node_modules/@modelcontextprotocol/conformance/dist/index.js"),
  inspector: join(root, "node_modules/.bin/inspector"),
  mcpRemote: join(root, "node_modules/mcp-remote/dist/proxy.js"),
} as const;

const text = (chunks: readonly Buffer[]) => Buffer.concat(chunks).toString("utf8");

/** Runs a command with the present Node, without a shell; after `limit` ms it is killed and its code is null. */
export async function runCli(
  script: string,
  args: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly limit?: number } = {},
): Promise<Ended> {
  const started = Date.now();
  const child = spawn(process.execPath, [script, ...args], {
    env: { ...ownEnvironment(), ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: options.limit ?? 60_000,
    killSignal: "SIGKILL",
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
  await once(child, "close");
  return { code: child.exitCode, stdout: text(out), stderr: text(err), ms: Date.now() - started };
}
