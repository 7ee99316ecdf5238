import { createInterface } from "node:readline";
import { Problem } from "../lib/command.ts";

export interface Asking {
  /** A line of text; `fallback` where nothing is typed. */
  text(question: string, fallback?: string): Promise<string>;
  /** Yes unless the person says no. */
  yes(question: string): Promise<boolean>;
  /** No unless the person says yes: never with `assumeYes`. */
  sure(question: string): Promise<boolean>;
  close(): void;
}

/** Asks on the terminal; with `assumeYes` every question is answered by its default, and one without ends the run. */
export function createAsking(assumeYes: boolean): Asking {
  // Not as a terminal of its own: Ctrl-C ends this and the wrangler that runs, and a line is edited as anywhere else.
  const lines = assumeYes ? undefined : createInterface({ input: process.stdin, terminal: false });
  // wrangler, where it asks something itself, is the only one that reads.
  lines?.pause();
  // Kept as they come: piped answers may all be there before the first question.
  const waiting: ((line: string | undefined) => void)[] = [];
  const typed: string[] = [];
  let ended = false;
  lines?.on("line", (line) => {
    const next = waiting.shift();
    if (next === undefined) typed.push(line);
    else next(line);
  });
  lines?.on("close", () => {
    ended = true;
    for (const next of waiting.splice(0)) next(undefined);
  });

  const read = async (): Promise<string | undefined> => {
    const line = typed.shift();
    if (line !== undefined || ended) return line;
    lines?.resume();
    const next = await new Promise<string | undefined>((resolve) => waiting.push(resolve));
    if (!ended) lines?.pause();
    return next;
  };

  const text: Asking["text"] = async (question, fallback) => {
    if (assumeYes) {
      if (fallback !== undefined) return fallback;
      throw new Problem(`With --yes this has to be given as an option: ${question} See --help.`);
    }
    process.stdout.write(`${question}${fallback ? ` [${fallback}]` : ""} `);
    const line = await read();
    if (line === undefined) throw new Problem("\nStopped. Run the command again to go on from here.");
    return line.trim() || (fallback ?? "");
  };

  return {
    text,
    yes: async (question) => !/^no?$/i.test(await text(`${question} [Y/n]`, "")),
    sure: async (question) => /^y(?:es)?$/i.test(await text(`${question} [y/N]`, "")),
    close: () => lines?.close(),
  };
}
