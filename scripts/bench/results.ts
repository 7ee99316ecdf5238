import type { DueCost } from "./due.ts";
import type { ByRow, Counts, Rise } from "./measure.ts";
import type { RowName } from "./options.ts";
import { ratio } from "./stats.ts";
import type { Load } from "./wrk.ts";

/** Everything one run measured; a part that was not asked for is missing. */
export interface Results {
  readonly rows: readonly RowName[];
  json?: Map<number, ByRow<Load>>;
  /** MB of each worker: highest while under the load of small calls. */
  peaks?: Map<RowName, number>;
  firstEvent?: ByRow<number>;
  transfer?: { readonly download: ByRow<number>; readonly upload: ByRow<number> };
  rise?: { readonly download: ByRow<Rise>; readonly upload: ByRow<Rise> };
  counts?: { readonly first: Counts; readonly hot: Counts };
  due?: readonly DueCost[];
}

export const fixed = (value: number | undefined, digits: number): string =>
  value === undefined || Number.isNaN(value) ? "–" : value.toFixed(digits);

export const throughput = (loads: readonly Load[] | undefined) => loads?.map((one) => one.requestsPerSecond);
export const cpu = (loads: readonly Load[] | undefined) => loads?.map((one) => one.cpuPerRequest);

/** MB by which the highest peak of all rounds was above what the row held before the first. */
export function highest(rises: readonly Rise[] | undefined): number | undefined {
  const first = rises?.[0];
  if (rises === undefined || first === undefined) return undefined;
  return Math.max(...rises.map(({ before, by }) => before + by)) - first.before;
}

export interface Target {
  readonly name: string;
  readonly limit: string;
  readonly measured: string;
  /** Undefined where nothing was measured. */
  readonly reached: boolean | undefined;
}

function target(
  name: string,
  value: number | undefined,
  limit: { readonly atMost: number } | { readonly atLeast: number },
  unit = "",
): Target {
  const most = "atMost" in limit;
  const bound = most ? limit.atMost : limit.atLeast;
  return {
    name,
    limit: `${most ? "at most" : "at least"} ${bound}${unit}`,
    measured: `${fixed(value, 2)}${value === undefined ? "" : unit}`,
    reached: value === undefined || Number.isNaN(value) ? undefined : most ? value <= bound : value >= bound,
  };
}

/** Of every connection count, for a target must hold at each; the worst counts. */
function worst(
  values: readonly (number | undefined)[],
  pick: (...numbers: number[]) => number,
): number | undefined {
  const present = values.filter((value) => value !== undefined);
  return present.length === 0 ? undefined : pick(...present);
}

function difference(rise: ByRow<Rise> | undefined): number | undefined {
  const [own, bare] = [highest(rise?.get("c")), highest(rise?.get("b"))];
  return own === undefined || bare === undefined ? undefined : own - bare;
}

/** The measurements against what they should reach. */
export function targets(results: Results): Target[] {
  const { json, firstEvent, rise, counts } = results;
  const loads = [...(json?.values() ?? [])];
  return [
    target("D1 reads per call, hot connection", counts?.hot.d1Queries, { atMost: 1 }),
    target("KV reads per call, hot connection", counts?.hot.kvReads, { atMost: 0 }),
    target("writes per call, hot connection", counts && counts.hot.d1Writes + counts.hot.kvWrites, {
      atMost: 0,
    }),
    target(
      "own CPU, c0/b (worst of the connection counts)",
      worst(
        loads.map((byRow) => ratio(cpu(byRow.get("c0")), cpu(byRow.get("b")))),
        Math.max,
      ),
      { atMost: 1.3 },
    ),
    target(
      "throughput with storage, c/b+ (worst of the connection counts)",
      worst(
        loads.map((byRow) => ratio(throughput(byRow.get("c")), throughput(byRow.get("b+")))),
        Math.min,
      ),
      { atLeast: 0.85 },
    ),
    target("first SSE event, c/b", ratio(firstEvent?.get("c"), firstEvent?.get("b")), { atMost: 1.3 }),
    target(
      "first SSE event, a D1 read on both sides, c/b+",
      ratio(firstEvent?.get("c"), firstEvent?.get("b+")),
      {
        atMost: 1.3,
      },
    ),
    target("first SSE event, none on either, c0/b", ratio(firstEvent?.get("c0"), firstEvent?.get("b")), {
      atMost: 1.3,
    }),
    target(
      "100 MB response, memory above the pass-through's",
      difference(rise?.download),
      { atMost: 4 },
      " MB",
    ),
    target("5 MB request, memory above the pass-through's", difference(rise?.upload), { atMost: 4 }, " MB"),
  ];
}
