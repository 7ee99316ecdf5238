import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { root } from "../../../scripts/lib/files.ts";
import { ownEnvironment } from "./environment.ts";

export interface Running {
  readonly process: ChildProcess;
  readonly output: () => string;
  /** The exit code; null where a signal ended it. */
  readonly ended: Promise<number | null>;
  /** Resolves when the output matches, with what matched; rejects where the program ends before, or after 50 s. */
  until(pattern: RegExp): Promise<string>;
}

/** Runs a command of `scripts/` by itself, without npm and the launcher: a signal reaches the command and nobody else. */
export function launchScript(
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Running {
  const child = spawn(process.execPath, [`scripts/${name}/main.ts`, ...args], {
    cwd: root,
    env: { ...ownEnvironment(), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const listeners = new Set<() => void>();
  const take = (chunk: Buffer) => {
    output += chunk.toString();
    for (const listener of listeners) listener();
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  const ended = once(child, "close").then(([code]) => (typeof code === "number" ? code : null));
  return {
    process: child,
    output: () => output,
    ended,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const match = pattern.exec(output);
          if (match !== null) resolve(match[0]);
        };
        listeners.add(look);
        look();
        const fail = (how: string) => reject(new Error(`It ${how} ${pattern}:\n${output}`));
        setTimeout(() => fail("did not say in time"), 50_000).unref();
        void ended.then(() => fail("ended before it said"));
      }),
  };
}
