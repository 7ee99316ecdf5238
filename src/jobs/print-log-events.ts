import { printStoredLine } from "../lib/log.ts";
import type { Stores } from "../store/index.ts";

const batch = 200;

/** Prints what invocations with a secret path could not print themselves. This invocation's URL holds nothing. */
export async function printLogEvents(stores: Pick<Stores, "logEvents">): Promise<number> {
  const lines = await stores.logEvents.oldest(batch);
  const last = lines.at(-1);
  if (last === undefined) return 0;
  for (const { level, line } of lines) printStoredLine(level, line);
  await stores.logEvents.deleteUpTo(last.id);
  return lines.length;
}
