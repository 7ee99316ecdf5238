import * as fc from "fast-check";
import { inject } from "vitest";

/** How a property is tried: with the seed that was printed, for at most so many ms. */
export function fuzz(runs: number, ms = 8000) {
  return { seed: inject("fuzzSeed"), numRuns: runs, plugins: [fc.interruptAfterTimeLimit(ms)] };
}
