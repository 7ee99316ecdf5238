import { Problem, readArguments } from "../lib/command.ts";

const rowNames = ["a", "b", "b+", "f", "c", "c0"] as const;
export type RowName = (typeof rowNames)[number];

const partNames = ["json", "sse", "transfer", "memory", "counts", "due"] as const;
export type PartName = (typeof partNames)[number];

export const usage = `
npm run bench [-- OPTIONS]

Measures, interleaved in one run:
  a    the upstream directly
  b    a bare fetch() pass-through worker
  b+   the same with one D1 read per request
  f    b+ with every platform call that the promises need, and nothing else: the floor
  c    Bindify, with the local D1 and KV
  c0   Bindify with storage answered from memory: its own CPU

  --quick          one short pass (under 45 s); without it some five minutes
  --only PARTS     comma-separated: ${partNames.join(", ")}
  --rows ROWS      comma-separated: ${rowNames.join(", ")}
  --seconds N      length of one wrk run (whole seconds)
  --rounds N       how often the rows take turns
  --soak TIME      instead: call c at full speed for so long (60s, 30m) and fail where its memory is not flat
  --json PATH      also write every number to PATH
  --profile        instead: a CPU profile of c0 beside b, as time per function and request
  --help           this text

The part "due" needs no row: it runs the job that renews managed connections, with 500 of them due (--quick: 100), among
1,000 and among 100,000, and prints its time and what it asked of D1.

Rate limits of c and c0 count in memory, because Miniflare simulates them with a database that the platform does
not have. Needs wrk (WRK_PATH, else /usr/bin/wrk). CPU and memory are read from /proc, so on Linux only. A missed target is
printed, not an error.
`;

export interface Options {
  readonly quick: boolean;
  readonly profile: boolean;
  readonly parts: readonly PartName[];
  readonly rows: readonly RowName[];
  readonly seconds: number;
  readonly rounds: number;
  readonly json: string | undefined;
  /** Seconds. */
  readonly soak: number | undefined;
}

/** The names of a comma-separated list, in the order of `known`; everything when there is no list. */
function names<Name extends string>(
  given: string | undefined,
  known: readonly Name[],
  flag: string,
): readonly Name[] {
  if (given === undefined) return known;
  const wanted = given.split(",").map((name) => name.trim());
  const stranger = wanted.find((name) => !known.some((one) => one === name));
  if (stranger !== undefined)
    throw new Problem(`${flag} does not know "${stranger}". It knows: ${known.join(", ")}.`);
  return known.filter((name) => wanted.includes(name));
}

function count(given: string | undefined, fallback: number, flag: string): number {
  if (given === undefined) return fallback;
  if (!/^[1-9]\d{0,2}$/.test(given)) throw new Problem(`${flag} takes a whole number from 1 to 999.`);
  return Number(given);
}

/** Seconds of `90s` or `30m`. */
function duration(given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const [, amount = "", unit] = /^([1-9]\d{0,3})([sm])$/.exec(given) ?? [];
  if (unit === undefined) throw new Problem("--soak takes a time such as 60s or 30m.");
  return Number(amount) * (unit === "m" ? 60 : 1);
}

/** Reads the command line. @throws Problem */
export function readOptions(args: readonly string[]): Options {
  const { values } = readArguments({
    args: [...args],
    options: {
      quick: { type: "boolean", default: false },
      profile: { type: "boolean", default: false },
      only: { type: "string" },
      rows: { type: "string" },
      seconds: { type: "string" },
      rounds: { type: "string" },
      json: { type: "string" },
      soak: { type: "string" },
    },
  });
  return {
    quick: values.quick,
    profile: values.profile,
    parts: names(values.only, partNames, "--only"),
    rows: names(values.rows, rowNames, "--rows"),
    seconds: count(values.seconds, values.quick ? 1 : 2, "--seconds"),
    rounds: count(values.rounds, values.quick ? 1 : 5, "--rounds"),
    json: values.json,
    soak: duration(values.soak),
  };
}
