import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { cpuSeconds } from "./proc.ts";
import type { Row } from "./rows.ts";

const script = fileURLToPath(new URL("post.lua", import.meta.url));

/** Where wrk is, or undefined. */
export function findWrk(): string | undefined {
  const path = process.env["WRK_PATH"] ?? "/usr/bin/wrk";
  try {
    accessSync(path, constants.X_OK);
    return path;
  } catch {
    return undefined;
  }
}

export const howToGetWrk =
  "This benchmark needs wrk. Install it (Debian and Ubuntu: `apt-get install wrk`, macOS: `brew install wrk`) " +
  "or set WRK_PATH to where it is.";

export interface Load {
  readonly requestsPerSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  /** Milliseconds. */
  readonly p99: number;
  /** Microseconds of the worker's process, user and system. */
  readonly cpuPerRequest: number | undefined;
}

/** What the Lua script printed last. @throws where wrk said nothing of the kind */
export function readResult(output: string): Record<string, number> {
  const line = output.match(/^result (\{.*\})$/m)?.[1];
  if (line === undefined) throw new Error(`wrk printed no result:\n${output}`);
  const result: Record<string, number> = JSON.parse(line);
  return result;
}

/** Calls the row for `seconds` over `connections` keep-alive connections. @throws if any answer was not a 2xx */
export async function load(wrk: string, row: Row, connections: number, seconds: number): Promise<Load> {
  const before = cpuSeconds(row.pid);
  const { stdout } = await promisify(execFile)(
    wrk,
    // An answer that takes long is late, and in the p99; after 2 s wrk would count its connection as broken.
    ["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "10s", "-s", script, row.url],
    { env: { ...process.env, BENCH_AUTHORIZATION: row.authorization } },
  );
  const after = cpuSeconds(row.pid);
  const { requests = 0, micros = 1, p50 = 0, p99 = 0, refused = 0, broken = 0 } = readResult(stdout);
  if (requests === 0 || refused > 0 || broken > 0)
    throw new Error(`row ${row.name}: ${requests} answers, ${refused} not 2xx, ${broken} broken connections`);
  return {
    requestsPerSecond: (requests / micros) * 1e6,
    p50: p50 / 1000,
    p99: p99 / 1000,
    cpuPerRequest:
      before === undefined || after === undefined ? undefined : ((after - before) / requests) * 1e6,
  };
}
