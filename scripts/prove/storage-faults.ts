import { z } from "zod";
import { faultControl, faultTimes, planHeader, type FaultPlan } from "../../test/support/fault-plan.ts";
import type { Dice } from "./dice.ts";
import type { Secrets } from "./secrets.ts";

/** The plan for a request, or for the jobs of a cron pattern; undefined: its storage works. */
export type DrawFaults = (work: "request" | "jobs") => FaultPlan | undefined;

/** Operations on storage that may come first to fail. */
const reach = { request: 7, jobs: 30 } as const;
/** Of an outage: it outlasts every invocation. */
const never = Number.MAX_SAFE_INTEGER;

/** Every message holds what the driver was given, and these words, which nobody else says. */
const wordsOf = (secrets: Secrets): string => secrets.make("words of a storage error", "deployment");

/** Random faults: single ones and outages, of either store, in some of the invocations. */
export function randomFaults(dice: Dice, secrets: Secrets): DrawFaults {
  const words = wordsOf(secrets);
  return (work) => {
    if (dice.chance(0.3)) return undefined;
    const first = 1 + dice.below(reach[work]);
    return {
      first,
      last: dice.chance(0.3) ? never : first,
      only: dice.pick(["any", "any", "d1", "kv"]),
      time: dice.pick(faultTimes),
      error: dice.pick(["usual", "odd"]),
      words,
    };
  };
}

/** An outage in every invocation, from this operation of the store on. */
export function outage(only: FaultPlan["only"], first: number, secrets: Secrets): DrawFaults {
  const plan: FaultPlan = {
    first,
    last: never,
    only,
    time: "before",
    error: "usual",
    words: wordsOf(secrets),
  };
  return () => plan;
}

export function headersOf(plan: FaultPlan | undefined): Readonly<Record<string, string>> {
  return plan === undefined ? {} : { [planHeader]: JSON.stringify(plan) };
}

/** Runs the schedule at a deployment while its storage fails. @throws Error where it did not come to its end */
export async function runFaultySchedule(origin: string, plan: FaultPlan): Promise<void> {
  const answer = await fetch(origin + faultControl.schedule, { method: "POST", headers: headersOf(plan) });
  if ((await answer.text()) !== "ok") throw new Error(`the schedule ended with ${answer.status}`);
}

/** How often each operation failed, as a deployment counted. */
export async function failuresAt(origin: string): Promise<ReadonlyMap<string, number>> {
  const answer = await fetch(origin + faultControl.failed);
  const counts = z.record(z.string(), z.number()).parse(await answer.json());
  return new Map(Object.entries(counts).toSorted(([a], [b]) => a.localeCompare(b)));
}
