import { runCommand } from "../lib/command.ts";
import { createCollection } from "./evidence.ts";
import { judge } from "./judge.ts";
import { readOptions, usage } from "./options.ts";
import { plants } from "./plants/index.ts";
import { report, shortcomings } from "./report.ts";
import { findPlants, packPlants, runModel } from "./run.ts";

// Miniflare ends its processes when this one exits.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(130));

/** Much of a build's time is waiting for what invocations do after their answers. */
const buildsAtOnce = 4;

/** One line that says what is going on, where somebody looks. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001B[2K${text}`);
}

await runCommand(usage, async () => {
  const { seed, seconds, quick } = readOptions(process.argv.slice(2));
  const began = performance.now();
  console.log(`Leak proof, seed ${seed}`);
  const { run, secrets } = await runModel(
    seed,
    seconds,
    progress,
    (soFar) => shortcomings(soFar, [], []).length === 0,
  );

  const builds = packPlants(plants, quick ? 13 : 1);
  let tried = 0;
  const results = await inLanes(builds, async (build) => {
    const found = await findPlants(build, seed);
    tried += build.length;
    progress(`planted leaks: ${tried} of ${plants.length}`);
    return found;
  });
  progress("");

  // What is about to be printed is a place like any other.
  const output = createCollection();
  output.add("output of this program", "report", report(run, results, run.judgement.leaks));
  const own = judge({ all: secrets }, output);
  const leaks = [...run.judgement.leaks, ...own.leaks];
  if (own.leaks.length === 0)
    console.log(report({ ...run, judgement: withOutput(run.judgement, own) }, results, leaks));
  const lacking = shortcomings(run, results, leaks);
  const found = results.filter((result) => result.found).length;
  const time = `${Math.round((performance.now() - began) / 1000)} s`;
  const planted = `${found} of ${results.length} planted leaks were found`;
  if (lacking.length === 0) console.log(`\nNo secret leaked, and ${planted}. Seed ${seed}, ${time}.`);
  else
    console.log(
      `\nNOT PROVEN (seed ${seed}, ${time}; ${planted}):\n${lacking.map((line) => `  ${line}`).join("\n")}`,
    );
  return lacking.length === 0 ? 0 : 1;
});

/** Works a list off, a few at a time; answers what came of each, in the list's order. */
async function inLanes<T, R>(
  list: readonly T[],
  work: (one: T) => Promise<readonly R[]>,
): Promise<readonly R[]> {
  const waiting = [...list.entries()];
  const done: (readonly R[])[] = [];
  await Promise.all(
    Array.from({ length: buildsAtOnce }, async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        done[next[0]] = await work(next[1]);
      }
    }),
  );
  return done.flat();
}

/** The same with what was looked through last. */
function withOutput(
  judgement: ReturnType<typeof judge>,
  own: ReturnType<typeof judge>,
): ReturnType<typeof judge> {
  return { ...judgement, looked: new Map([...judgement.looked, ...own.looked]) };
}
