import { minute, type Clock } from "../lib/clock.ts";
import { errorKind, type Log } from "../lib/log.ts";
import type { Random } from "../lib/random.ts";
import type { Stores } from "../store/index.ts";
import { somewhere } from "./random-workspace.ts";

/** Deletions of one run, for each unit of its budget, of three queries each, and events that one of them takes. */
const deletionShare = 2;
const batch = 2000;
/** Workspaces that one query looks at; one run makes a query of them for each unit of its budget. */
const page = 1000;
/** After this time nothing more begins. */
const runTime = minute;

export interface PruneDeps {
  readonly stores: Pick<Stores, "auditPrune">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** What one run may do; the platform counts the queries of each. */
  readonly backgroundBudget: number;
}

/** Deletes audit events whose time is over, from the beginning of each chain, behind its checkpoint. */
export async function pruneAudit(deps: PruneDeps): Promise<number> {
  const { stores, clock, log, backgroundBudget } = deps;
  const end = clock() + runTime;
  const left = deletionShare * backgroundBudget;
  const turns = [...(await workspacesOver(left, deps))];
  let pruned = 0;
  for (let at = 0; at < left && clock() < end; at += 1) {
    const workspaceId = turns[at];
    if (workspaceId === undefined) break;
    try {
      const some = await stores.auditPrune.prune(workspaceId, batch);
      pruned += some;
      // It may have more, and has its next turn behind the others.
      if (some >= batch) turns.push(workspaceId);
    } catch (error) {
      // One that cannot be shortened must not keep the others.
      log({ event: "audit_prune_failed", workspace: workspaceId, error: errorKind(error) });
    }
  }
  return pruned;
}

/** Up to `wanted` workspaces with something to prune, from a random one on, and around. */
async function workspacesOver(
  wanted: number,
  { stores: { auditPrune }, random, backgroundBudget }: PruneDeps,
): Promise<ReadonlySet<string>> {
  const start = somewhere(random);
  const found = new Set<string>();
  let after = start;
  let around = false;
  for (let at = 0; at < backgroundBudget && found.size < wanted; at += 1) {
    const { over, next } = await auditPrune.waiting(after, page);
    for (const id of over.slice(0, wanted - found.size)) found.add(id);
    if (around && (next === null || next >= start)) break;
    around ||= next === null;
    after = next ?? "";
  }
  return found;
}
