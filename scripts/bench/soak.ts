import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { openInspector } from "./profile.ts";
import { residentMegabytes } from "./proc.ts";
import type { Row } from "./rows.ts";
import { load } from "./wrk.ts";

export interface Sample {
  /** Calls made until then. */
  readonly calls: number;
  /** MB that the worker's isolate holds after a collection: its objects, those of the runtime behind them, buffers. */
  readonly held: number;
  /** MB resident of the whole process, with the simulated storage. */
  readonly resident: number | undefined;
}

export interface Soak {
  readonly samples: readonly Sample[];
  /** MB that were held more at the end than after the first part. */
  readonly growth: number;
  readonly isFlat: boolean;
}

/** MB. A leak of 200 bytes per call shows within half a minute at full speed. */
const allowedGrowth = 4;
/** How often a long and a short soak look: the inspector takes some 20 s for a collection. */
const [longLooks, shortLooks] = [12, 2];
const long = 300;
/** Work that goes on after the last answer, and timers that hold what it needs, ms. */
const settling = 1500;

/** The first piece fills caches; what is held after it has to stay. */
export function growthOf(samples: readonly Sample[]): number {
  const [first, last] = [samples[0], samples.at(-1)];
  return first === undefined || last === undefined ? 0 : last.held - first.held;
}

const usageSchema = z.object({
  usedSize: z.number(),
  embedderHeapUsedSize: z.number().default(0),
  backingStorageSize: z.number().default(0),
});

type Inspector = Awaited<ReturnType<typeof openInspector>>;

/** What is still held once everything that can go is gone. */
async function heldMegabytes(inspector: Inspector): Promise<number> {
  await inspector.call("HeapProfiler.collectGarbage");
  const usage = usageSchema.parse(await inspector.call("Runtime.getHeapUsage"));
  return (usage.usedSize + usage.embedderHeapUsedSize + usage.backingStorageSize) / 1024 / 1024;
}

/**
 * Calls the row at full speed for `seconds`, in pieces, and looks after each at what its isolate holds.
 * @throws if any answer was not a 2xx
 */
export async function soak(
  wrk: string,
  row: Row,
  inspectorPort: number,
  seconds: number,
  progress: (text: string) => void,
): Promise<Soak> {
  const samples: Sample[] = [];
  const inspector = await openInspector(inspectorPort);
  await inspector.call("HeapProfiler.enable");
  try {
    let calls = 0;
    const pieces = seconds >= long ? longLooks : shortLooks;
    const piece = Math.max(1, Math.round(seconds / pieces));
    for (let at = 1; at <= pieces; at += 1) {
      calls += Math.round((await load(wrk, row, 50, piece)).requestsPerSecond * piece);
      await sleep(settling);
      const held = await heldMegabytes(inspector);
      samples.push({ calls, held, resident: residentMegabytes(row.pid) });
      progress(`soak: ${at * piece} of ${pieces * piece} s, ${calls} calls, ${held.toFixed(1)} MB held`);
    }
  } finally {
    inspector.close();
  }
  const growth = growthOf(samples);
  return { samples, growth, isFlat: growth <= allowedGrowth };
}

/** What a person reads. */
export function reportSoak({ samples, growth, isFlat }: Soak): string {
  const curve = (pick: (sample: Sample) => number | undefined): string =>
    samples.map((sample) => pick(sample)?.toFixed(1) ?? "–").join(" ");
  return [
    `soak: ${samples.at(-1)?.calls ?? 0} calls, 50 at a time, every answer a 2xx`,
    `held by the worker's isolate after each part, collected, MB: ${curve(({ held }) => held)}`,
    `growth since the first: ${growth.toFixed(1)} MB (at most ${allowedGrowth}): ${isFlat ? "flat" : "NOT FLAT"}`,
    `resident memory of the process, simulated storage included, MB: ${curve(({ resident }) => resident)}`,
    "(Resident memory is not judged: a local workerd under load keeps what it freed, also with a bare pass-through.)",
  ].join("\n");
}
