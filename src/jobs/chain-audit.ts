import { errorKind, type Log } from "../lib/log.ts";
import type { Random } from "../lib/random.ts";
import type { Stores } from "../store/index.ts";
import { somewhere } from "./random-workspace.ts";

/** Events that are chained at once, in four queries, and how often in one run at most. */
const batch = 100;
const mostBatches = 10;
/** One such batch for each of these units of the run's budget. */
const unitsOfBatch = 3;
/** Where that fails: workspaces that are looked at one by one, at most, and events of each. */
const mostWorkspaces = 10;
const eventsOfEach = 20;

export interface ChainDeps {
  readonly stores: Pick<Stores, "audit">;
  readonly random: Random;
  readonly log: Log;
  /** What one run may do; the platform counts the queries of each. */
  readonly backgroundBudget: number;
}

/** Gives the events of background work their places in the chains of their workspaces. */
export async function chainAudit(deps: ChainDeps): Promise<number> {
  const { stores, log, backgroundBudget } = deps;
  const batches = Math.min(mostBatches, Math.ceil(backgroundBudget / unitsOfBatch));
  let chained = 0;
  try {
    for (let at = 0; at < batches; at += 1) {
      const some = await stores.audit.chainOldest(batch);
      chained += some;
      if (some < batch) break;
    }
    return chained;
  } catch (error) {
    log({ event: "audit_chain_failed", workspace: "all", error: errorKind(error) });
  }
  // One chain that cannot be continued must not keep the others.
  for (const workspaceId of await someWaiting(deps)) {
    try {
      chained += await stores.audit.chain(workspaceId, eventsOfEach);
    } catch (error) {
      log({ event: "audit_chain_failed", workspace: workspaceId, error: errorKind(error) });
    }
  }
  return chained;
}

/** From a random one on, and around: several broken chains must not be all that is ever looked at. */
async function someWaiting({ stores: { audit }, random, backgroundBudget }: ChainDeps) {
  const limit = Math.min(mostWorkspaces, backgroundBudget);
  const behind = await audit.waiting(limit, somewhere(random));
  if (behind.length === limit) return behind;
  return [...new Set([...behind, ...(await audit.waiting(limit))])].slice(0, limit);
}
