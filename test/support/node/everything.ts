import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { setTimeout as pause } from "node:timers/promises";
import { freePort } from "./free-port.ts";

export interface Everything {
  /** `…/mcp` or `…/sse`. */
  url: string;
  close(): Promise<void>;
}

async function answers(url: string): Promise<boolean> {
  try {
    // Any answer will do; an event stream would stay open, so a path that does not exist is asked for.
    await fetch(new URL("/not-here", url), { signal: AbortSignal.timeout(1000) });
    return true;
  } catch (error) {
    if (error instanceof TypeError || (error instanceof DOMException && error.name === "TimeoutError"))
      return false;
    throw error;
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

/** The reference server with everything in it, as a child process. It listens on every interface: tests only. */
export async function startEverything(
  transport: "streamableHttp" | "sse",
  options: { port?: number } = {},
): Promise<Everything> {
  const port = options.port ?? (await freePort());
  const script = createRequire(import.meta.url).resolve(
    "@modelcontextprotocol/server-everything/dist/index.js",
  );
  const child = spawn(process.execPath, [script, transport], {
    env: { ...process.env, PORT: String(port) },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => {
    complaint = (complaint + chunk.toString("utf8")).slice(-2000);
  });
  const url = `http://127.0.0.1:${port}/${transport === "sse" ? "sse" : "mcp"}`;
  const deadline = Date.now() + 50_000;
  while (!(await answers(url))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop(child);
      throw new Error(`server-everything did not start: ${complaint}`);
    }
    await pause(100);
  }
  return { url, close: () => stop(child) };
}
