import { z } from "zod";

/** `before`: fails without being executed. `after`: is executed, and its answer is lost. */
export const faultTimes = ["before", "after"] as const;
export type FaultTime = (typeof faultTimes)[number];

/** Which operations of one invocation's storage fail, and how. */
export const faultPlanSchema = z.strictObject({
  /** Of the operations that `only` names, counted from 1 and over D1 and KV together, these fail. */
  first: z.number().int().min(1),
  last: z.number().int(),
  only: z.enum(["d1", "kv", "any"]),
  time: z.enum(faultTimes),
  /** The message begins as D1's and KV's do, or the error is one that nobody knows. */
  error: z.enum(["usual", "odd"]),
  /** A part of each message, to be looked for. */
  words: z.string(),
});
export type FaultPlan = z.output<typeof faultPlanSchema>;

/** The header of a request in whose invocation storage fails: a plan as JSON. */
export const planHeader = "storage-fault-plan";

/** Addresses of the worker with faults that are none of the worker's. */
export const faultControl = {
  /** Runs every cron pattern's jobs, each with the header's plan. */
  schedule: "/_/schedule",
  /** How often each operation was made to fail, as `{"d1:first": 3}`. */
  failed: "/_/failed",
} as const;
