import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { post } from "./client.ts";
import { peakMegabytes, residentMegabytes, resetPeak } from "./proc.ts";
import type { RowName } from "./options.ts";
import { type Bench, type Row, startBindify } from "./rows.ts";
import { median, rotated } from "./stats.ts";
import { load, type Load } from "./wrk.ts";

/** What was measured of each row, one entry a round. */
export type ByRow<T> = Map<Row["name"], T[]>;

function add<T>(to: ByRow<T>, row: Row, value: T): void {
  const list = to.get(row.name) ?? [];
  list.push(value);
  to.set(row.name, list);
}

const connectionCounts = [1, 10, 50] as const;

/** Small JSON calls; the key of the result is the number of connections. */
export async function measureJson(
  wrk: string,
  rows: readonly Row[],
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
  progress: (text: string) => void,
): Promise<Map<number, ByRow<Load>>> {
  const result = new Map(connectionCounts.map((count) => [count, new Map() as ByRow<Load>]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [connections, byRow] of result) {
      for (const row of rotated(rows, round)) {
        progress(
          `small JSON call, round ${round + 1} of ${rounds}, ${connections} connections, row ${row.name}`,
        );
        add(byRow, row, await load(wrk, row, connections, seconds));
      }
    }
  }
  return result;
}

/** Milliseconds to the first event of an SSE answer, one entry per sample. */
export async function measureFirstEvent(rows: readonly Row[], samples: number): Promise<ByRow<number>> {
  const result: ByRow<number> = new Map();
  for (let round = 0; round < samples; round += 1) {
    for (const row of rotated(rows, round)) add(result, row, (await post(row, "sse")).first);
  }
  return result;
}

const fiveMegabytes = Buffer.alloc(5 * 1024 * 1024, " ");

/** Milliseconds for a 10 MB response and for a 5 MB request. */
export async function measureTransfer(
  rows: readonly Row[],
  samples: number,
): Promise<{ download: ByRow<number>; upload: ByRow<number> }> {
  const [download, upload]: ByRow<number>[] = [new Map(), new Map()] as const;
  for (let round = 0; round < samples; round += 1) {
    for (const row of rotated(rows, round)) {
      add(download, row, (await post(row, "download-10")).total);
      add(upload, row, (await post(row, "upload", fiveMegabytes)).total);
    }
  }
  return { download, upload };
}

export interface Rise {
  /** MB resident before. */
  readonly before: number;
  /** MB by which the peak was higher. */
  readonly by: number;
}

/** How far one large body raises a worker's memory. Rows whose process cannot be read are left out. */
export async function measureRise(
  rows: readonly Row[],
  rounds: number,
): Promise<{ download: ByRow<Rise>; upload: ByRow<Rise> }> {
  const [download, upload]: ByRow<Rise>[] = [new Map(), new Map()] as const;
  for (let round = 0; round < rounds; round += 1) {
    for (const row of rotated(rows, round)) {
      for (const [kind, to] of [
        ["upload", upload],
        ["download-100", download],
      ] as const) {
        await sleep(100);
        const before = residentMegabytes(row.pid);
        if (before === undefined || !resetPeak(row.pid)) continue;
        await post(row, kind, kind === "upload" ? fiveMegabytes : undefined);
        add(to, row, { before, by: Math.max(0, (peakMegabytes(row.pid) ?? before) - before) });
      }
    }
  }
  return { download, upload };
}

const countsSchema = z.object({
  d1Queries: z.number(),
  d1Writes: z.number(),
  rowsRead: z.number(),
  rowsWritten: z.number(),
  kvReads: z.number(),
  kvWrites: z.number(),
});
export type Counts = z.output<typeof countsSchema>;

/** Storage operations of the first call after a pause, and per call on a hot connection, as counted. */
export async function countOperations(bench: Bench, calls: number): Promise<{ first: Counts; hot: Counts }> {
  const row = await startBindify("counted", bench);
  try {
    const counted = async (): Promise<Counts> =>
      // The deferred work of the last call is given the time to happen.
      await sleep(300).then(async () =>
        countsSchema.parse(await (await fetch(new URL("/__bench/counts", row.url))).json()),
      );
    const first = await counted();
    for (let call = 0; call < calls; call += 1) await post(row, "json");
    const total = await counted();
    const hot = countsSchema.parse(
      Object.fromEntries(Object.entries(total).map(([name, value]) => [name, value / calls])),
    );
    return { first, hot };
  } finally {
    await row.stop();
  }
}

/** Milliseconds or megabytes: the median per row. */
export function medians(byRow: ByRow<number>): Map<RowName, number> {
  const result = new Map<RowName, number>();
  for (const [name, values] of byRow) if (name !== "counted") result.set(name, median(values));
  return result;
}
