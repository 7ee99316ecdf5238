import { parseArgs, type ParseArgsConfig } from "node:util";

/** Something that the person at the keyboard can act on. It is printed as a sentence, without a stack trace. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** A word of a command line that a person may type. */
export const quoted = (part: string): string =>
  /^[\w@%+=:,./-]+$/.test(part) ? part : `'${part.replaceAll("'", "'\\''")}'`;

/**
 * Runs a command to its end: prints `usage` for `--help`, turns a `Problem` into a sentence on standard error and
 * its exit code (1 for anything else that is thrown). `body` answers the exit code; a command that goes on running answers `undefined`.
 */
export async function runCommand(usage: string, body: () => Promise<number | undefined>): Promise<void> {
  const asked = process.argv.slice(2);
  if (asked.includes("--help") || asked.includes("-h")) {
    console.log(usage.trim());
    return;
  }
  try {
    process.exitCode = await body();
  } catch (error) {
    console.error(describe(error));
    process.exitCode = error instanceof Problem ? error.exitCode : 1;
  }
}

function describe(error: unknown): string {
  if (error instanceof Problem) return error.message;
  if (process.env["BINDIFY_DEBUG"] === "1" && error instanceof Error) return error.stack ?? error.message;
  const message = error instanceof Error ? error.message : String(error);
  return `Something unexpected happened: ${message}\n(BINDIFY_DEBUG=1 shows where.)`;
}

/** Reads the command line strictly; a mistake becomes a `Problem` that names it, with exit code 2. */
export function readArguments<const T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    throw new Problem(`${error instanceof Error ? error.message : String(error)}\nTry --help.`, 2);
  }
}
