import { measureDue } from "./due.ts";
import { countOperations, measureFirstEvent, measureJson, measureRise, measureTransfer } from "./measure.ts";
import type { Options, PartName } from "./options.ts";
import { peakMegabytes, resetPeak } from "./proc.ts";
import type { Bench, Row } from "./rows.ts";
import { type Results, targets } from "./results.ts";
import { load } from "./wrk.ts";

/** Runs the parts that were asked for over rows that serve already. */
export async function run(given: {
  readonly wrk: string;
  readonly options: Options;
  readonly bench: Bench;
  readonly rows: readonly Row[];
  readonly progress: (text: string) => void;
}): Promise<Results> {
  const { wrk, options, bench, rows, progress } = given;
  const wanted = (part: PartName) => options.parts.includes(part);
  const results: Results = { rows: options.rows };

  // Code that was not yet compiled, and memory that was not yet claimed, would be charged to the first round.
  progress("warming up");
  for (const row of rows) await load(wrk, row, 10, 1);

  // Before the load of small calls, whose garbage would hide what a body adds.
  if (wanted("memory")) {
    progress("memory");
    results.rise = await measureRise(rows, options.quick ? 2 : 5);
  }
  if (wanted("json")) {
    for (const row of rows) resetPeak(row.pid);
    results.json = await measureJson(wrk, rows, options, progress);
    results.peaks = new Map();
    for (const { name, pid } of rows) {
      const peak = peakMegabytes(pid);
      if (peak !== undefined && name !== "counted") results.peaks.set(name, peak);
    }
  }
  if (wanted("sse")) {
    progress("first SSE event");
    results.firstEvent = await measureFirstEvent(rows, options.quick ? 50 : 300);
  }
  if (wanted("transfer")) {
    progress("10 MB response, 5 MB request");
    results.transfer = await measureTransfer(rows, options.quick ? 5 : 30);
  }
  if (wanted("counts") && options.rows.includes("c")) {
    progress("counting storage operations");
    results.counts = await countOperations(bench, options.quick ? 200 : 1000);
  }
  if (wanted("due")) {
    progress("renewing what is due of 1,000 and of 100,000 managed connections");
    results.due = await measureDue(bench, options.quick ? 100 : 500);
  }
  return results;
}

function plain(_key: string, value: unknown): unknown {
  return value instanceof Map ? Object.fromEntries(value) : value;
}

/** Every number of a run as JSON. */
export function toJson(results: Results): string {
  return `${JSON.stringify({ ...results, targets: targets(results) }, plain, 2)}\n`;
}
