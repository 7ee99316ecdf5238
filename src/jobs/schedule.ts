import type { Billing } from "../billing/billing.ts";
import { settleDue } from "../billing/settle.ts";
import type { Clock } from "../lib/clock.ts";
import { errorKind, type JobName, type Log } from "../lib/log.ts";
import type { Stores } from "../store/index.ts";
import { adoptJournals } from "./adopt-journals.ts";
import { copyBlobs } from "./copy-blobs.ts";
import { printLogEvents } from "./print-log-events.ts";

export interface JobDeps {
  readonly stores: Stores;
  readonly clock: Clock;
  readonly log: Log;
  readonly billing: Billing | undefined;
}

interface Job {
  readonly name: JobName;
  /** Returns how many things it did. */
  readonly run: (deps: JobDeps) => Promise<number>;
}

/** Which jobs a cron pattern runs. The patterns are the triggers of `wrangler.toml`. */
export const schedule: Readonly<Record<string, readonly Job[]>> = {
  "* * * * *": [
    { name: "adopt_journals", run: (deps) => adoptJournals(deps.stores) },
    { name: "copy_blobs", run: (deps) => copyBlobs(deps.stores) },
    { name: "delete_expired_flows", run: (deps) => deps.stores.flows.deleteExpired() },
    { name: "settle_plans", run: (deps) => settleDue(deps) },
    { name: "print_log_events", run: (deps) => printLogEvents(deps.stores) },
  ],
};

/** Runs the jobs of a pattern one after the other; one that fails does not keep the next from running. */
export async function runSchedule(cron: string, deps: JobDeps): Promise<void> {
  const jobs = schedule[cron];
  if (jobs === undefined) {
    deps.log({ event: "unknown_cron" });
    return;
  }
  for (const job of jobs) {
    const startedAt = deps.clock();
    try {
      const done = await job.run(deps);
      if (done > 0) deps.log({ event: "job_finished", job: job.name, done, ms: deps.clock() - startedAt });
    } catch (error) {
      deps.log({ event: "job_failed", job: job.name, error: errorKind(error) });
    }
  }
}
