import { errorKind, type Log } from "../lib/log.ts";
import type { Stores } from "../store/index.ts";

/** Events that are chained at once, in three queries, and how often in one run. */
const batch = 100;
const batches = 10;
/** Where that fails: workspaces that are looked at one by one, and events of each. */
const workspaces = 10;
const eventsOfEach = 20;

/** Gives the events of background work their places in the chains of their workspaces. */
export async function chainAudit({
  stores,
  log,
}: {
  readonly stores: Pick<Stores, "audit">;
  readonly log: Log;
}): Promise<number> {
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
  for (const workspaceId of await stores.audit.waiting(workspaces)) {
    try {
      chained += await stores.audit.chain(workspaceId, eventsOfEach);
    } catch (error) {
      log({ event: "audit_chain_failed", workspace: workspaceId, error: errorKind(error) });
    }
  }
  return chained;
}
