import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { openInspector } from "./profile.ts";
import { residentMegabytes } from "./proc.ts";
import type { Row } from "./rows.ts";
import { load } from "./wrk.ts";

export interface Sample {
  /** Seconds since the start. */
  readonly at: number;
  /** MB that the worker's isolate uses: its objects, those of the runtime behind them, and their buffers. */
  readonly heap: number;
  /** MB resident of the whole process, with the simulated storage. */
  readonly resident: number | undefined;
}

export interface Soak {
  readonly samples: readonly Sample[];
  readonly requests: number;
  /** MB by which the last collection left more than the first; undefined where there were not two. */
  readonly growth: number | undefined;
  readonly isFlat: boolean;
}

/** MB: a fraction of what a leak of 100 bytes per call adds in minutes at full speed. */
const allowedGrowth = 4;
/** MB that the heap may have where it was not collected twice; the platform ends an isolate at 128. */
const allowedHeap = 100;

/** A sample this far below the one before follows a collection of the whole heap. */
const drop = 0.6;

/** What a collection leaves over is what is held: a leak raises it, garbage does not. */
export function growthOf(samples: readonly Sample[]): number | undefined {
  const left = samples
    .filter(({ heap }, at) => heap < (samples[at - 1]?.heap ?? 0) * drop)
    .map(({ heap }) => heap);
  const [first, last] = [left[0], left.at(-1)];
  return first === undefined || last === undefined || left.length < 2 ? undefined : last - first;
}

const usageSchema = z.object({
  usedSize: z.number(),
  embedderHeapUsedSize: z.number().default(0),
  backingStorageSize: z.number().default(0),
});

type Inspector = Awaited<ReturnType<typeof openInspector>>;

async function heapMegabytes(inspector: Inspector): Promise<number> {
  const usage = usageSchema.parse(await inspector.call("Runtime.getHeapUsage"));
  return (usage.usedSize + usage.embedderHeapUsedSize + usage.backingStorageSize) / 1024 / 1024;
}

/** Calls the row at full speed for `seconds` and watches its memory. @throws if any answer was not a 2xx */
export async function soak(
  wrk: string,
  row: Row,
  inspectorPort: number,
  seconds: number,
  progress: (text: string) => void,
): Promise<Soak> {
  const samples: Sample[] = [];
  const began = performance.now();
  const elapsed = (): number => (performance.now() - began) / 1000;
  const inspector = await openInspector(inspectorPort);
  const watching = new AbortController();
  const watch = (async () => {
    while (!watching.signal.aborted) {
      const heap = await heapMegabytes(inspector);
      samples.push({ at: elapsed(), heap, resident: residentMegabytes(row.pid) });
      progress(`soak: ${elapsed().toFixed(0)} of ${seconds} s, ${heap.toFixed(1)} MB`);
      await sleep(Math.min(2000, seconds * 5));
    }
  })();
  let requests = 0;
  try {
    // In pieces, so that what fails is known within a minute.
    while (elapsed() < seconds - 0.5) {
      const piece = Math.max(1, Math.min(60, Math.round(seconds - elapsed())));
      requests += (await load(wrk, row, 50, piece)).requestsPerSecond * piece;
    }
  } finally {
    watching.abort();
    await watch;
    inspector.close();
  }
  const growth = growthOf(samples);
  const highest = Math.max(...samples.map(({ heap }) => heap));
  const isFlat = growth === undefined ? highest <= allowedHeap : growth <= allowedGrowth;
  return { samples, requests: Math.round(requests), growth, isFlat };
}

function judged(growth: number | undefined): string {
  return growth === undefined
    ? `not collected twice in this time; the heap may have at most ${allowedHeap} MB`
    : `the last collection left ${growth.toFixed(1)} MB more than the first (at most ${allowedGrowth})`;
}

/** What a person reads. */
export function reportSoak({ samples, requests, growth, isFlat }: Soak): string {
  const seconds = samples.at(-1)?.at ?? 0;
  const twelfth = Math.max(1, seconds / 12);
  const curve = (pick: (sample: Sample) => number | undefined): string =>
    Array.from({ length: 12 }, (_, part) => {
      const values = samples
        .filter(({ at }) => at >= part * twelfth && at < (part + 1) * twelfth)
        .flatMap((sample) => pick(sample) ?? []);
      return values.length === 0 ? "–" : Math.min(...values).toFixed(1);
    }).join(" ");
  return [
    `soak: ${requests} calls in ${seconds.toFixed(0)} s, 50 at a time, every answer a 2xx`,
    `heap of the worker's isolate, MB, least of each twelfth: ${curve(({ heap }) => heap)}`,
    `${judged(growth)}: ${isFlat ? "flat" : "NOT FLAT"}`,
    `resident memory of the process, simulated storage included: ${curve(({ resident }) => resident)}`,
    "(Not judged: under this load a local workerd grows by as much with a worker that only calls fetch.)",
  ].join("\n");
}
