import { createInterface } from "node:readline";
import { Problem } from "../lib/command.ts";

export interface Asking {
  /** A line of text; `fallback` where nothing is typed. */
  text(question: string, fallback?: string): Promise<string>;
  /** Yes unless the person says no. */
  yes(question: string): Promise<boolean>;
  close(): void;
}

/** Asks on the terminal; with `assumeYes` every question is answered by its default, and one without ends the run. */
export function createAsking(assumeYes: boolean): Asking {
  const lines = assumeYes ? undefined : createInterface({ input: process.stdin, output: process.stdout });
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
    return await new Promise((resolve) => waiting.push(resolve));
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
    close: () => lines?.close(),
  };
}
