import type { Billing } from "../billing/billing.ts";
import { settleDue } from "../billing/settle.ts";
import { second, type Clock } from "../lib/clock.ts";
import { errorKind, type JobName, type Log } from "../lib/log.ts";
import { continueErasures, sweepErased, type EraseDeps } from "../connect/erase.ts";
import type { Stores } from "../store/index.ts";
import { adoptJournals } from "./adopt-journals.ts";
import { chainAudit } from "./chain-audit.ts";
import { checkFingerprints, type CheckDeps } from "./check-fingerprints.ts";
import { copyBlobs } from "./copy-blobs.ts";
import { deliverMail, type DeliverDeps } from "./deliver-mail.ts";
import { findAnomalies } from "./find-anomalies.ts";
import { forgetOld } from "./forget-old.ts";
import { printLogEvents } from "./print-log-events.ts";
import { pruneAudit } from "./prune-audit.ts";
import { purgeConnections, purgeMail, purgeSuperseded } from "./purge.ts";
import { refreshDue, type RefreshDueDeps } from "./refresh-due.ts";
import { remindOfAge, remindOfReauth } from "./remind.ts";
import { retryRevocations } from "./retry-revocations.ts";
import { rotate, type RotateDeps } from "./rotate.ts";

export interface JobDeps extends DeliverDeps, CheckDeps, RefreshDueDeps, RotateDeps, EraseDeps {
  readonly stores: Stores;
  readonly clock: Clock;
  readonly log: Log;
  readonly site: DeliverDeps["site"] & RefreshDueDeps["site"];
  readonly billing: Billing | undefined;
}

interface Job {
  readonly name: JobName;
  /** Returns how many things it did. */
  readonly run: (deps: JobDeps) => Promise<number>;
}

/** How long one run deletes accounts, ms; the next goes on. */
const erasureBudget = 20 * second;

/** Which jobs a cron pattern runs, in an invocation of their own. The patterns are the triggers of `wrangler.toml`. */
export const schedule: Readonly<Record<string, readonly Job[]>> = {
  "* * * * *": [
    { name: "adopt_journals", run: adoptJournals },
    { name: "copy_blobs", run: copyBlobs },
    { name: "delete_expired_flows", run: (deps) => deps.stores.flows.deleteExpired() },
    { name: "settle_plans", run: (deps) => settleDue(deps) },
    { name: "print_log_events", run: (deps) => printLogEvents(deps.stores) },
    { name: "chain_audit", run: chainAudit },
    { name: "deliver_mail", run: deliverMail },
    { name: "purge_superseded", run: purgeSuperseded },
    { name: "check_fingerprints", run: checkFingerprints },
    // Last: these may take ten seconds and twenty, and a deletion many queries.
    { name: "rotate", run: rotate },
    { name: "sweep_erased", run: (deps) => sweepErased(deps) },
    { name: "continue_erasures", run: (deps) => continueErasures(erasureBudget, deps) },
  ],
  // Every minute too, and alone: the platform counts the queries of an invocation, and one that others used up must not
  // be missing between a provider's answer and its commit.
  "*/1 * * * *": [{ name: "refresh_due", run: refreshDue }],
  "17 * * * *": [
    { name: "remind_reauth", run: remindOfReauth },
    { name: "find_anomalies", run: findAnomalies },
    { name: "forget_old", run: (deps) => forgetOld(deps.stores) },
    { name: "purge_connections", run: purgeConnections },
    { name: "prune_audit", run: pruneAudit },
    // Last: it may take a minute, and providers' time besides.
    { name: "retry_revocations", run: retryRevocations },
  ],
  "41 3 * * *": [
    { name: "remind_age", run: remindOfAge },
    { name: "purge_mail", run: purgeMail },
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
