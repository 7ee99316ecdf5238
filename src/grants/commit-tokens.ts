import { second, type Clock } from "../lib/clock.ts";
import type { Defer } from "../lib/defer.ts";
import { errorKind, type Log } from "../lib/log.ts";
import type { BlobName, Blobs, Journal } from "../store/blobs.ts";
import type { GrantState, Lease, RenewedBy, TokenFacts } from "../store/grant-row.ts";
import type { GrantStates } from "../store/grant-state.ts";
import { commitBudget, journalBudget } from "./refresh-policy.ts";

export interface CommitDeps {
  readonly stores: { readonly grants: GrantStates; readonly blobs: Blobs };
  readonly clock: Clock;
  readonly log: Log;
  readonly defer: Defer;
  /** Whose work this is, for the audit log; without it a call's. */
  readonly by?: RenewedBy;
}

/** Tokens that only this process holds, sealed for the generation after the lease's. */
export interface NewTokens {
  readonly lease: Lease;
  readonly sealed: string;
  readonly facts: TokenFacts;
  /** What to do with them if the connection turns out not to want them. */
  readonly abandon: () => Promise<unknown>;
}

/**
 * `unwanted`: the connection was disconnected or signed in again meanwhile, so these tokens belong to nobody.
 * `superseded`: generations went on, perhaps from ours.
 */
type Settled = "committed" | "unwanted" | "superseded";

/** `journaled`: KV has it, and D1 is still being tried. `nowhere`: no write got through yet. */
export type Committed = Settled | "journaled" | "nowhere";

/** Waits between tries, ms. */
const pauses = [100, 300, 800, 1500] as const;
/** How long the work goes on after the answer, ms: the platform allows 30 s. */
const afterAnswer = 22 * second;

/**
 * Makes new tokens durable before anything else happens with them: the old refresh token may be used up already, so
 * until one of these writes is through, this process holds the only copy.
 */
export async function commitTokens(tokens: NewTokens, deps: CommitDeps): Promise<Committed> {
  const { connectionId, gen, fence } = tokens.lease;
  const name = { connectionId, generation: gen + 1, fence };
  const settled = await tryCommit(tokens, deps.clock() + commitBudget, false, deps);
  if (settled === "committed") deps.defer("copy_blob", deps.stores.blobs.put(name, tokens.sealed));
  if (settled === "unwanted") deps.defer("revoke_grant", tokens.abandon());
  if (settled !== undefined) return settled;

  const journal = { blob: tokens.sealed, facts: tokens.facts };
  const journaled = await tryJournal(name, journal, deps);
  deps.defer("commit_journal", goOn());
  return journaled ? "journaled" : "nowhere";

  async function goOn(): Promise<void> {
    const late = await tryCommit(tokens, deps.clock() + afterAnswer, true, deps);
    if (late === undefined) {
      if (!journaled) await tryJournal(name, journal, deps);
      return;
    }
    // A journal whose tokens are in D1, or belong to nobody, must not be adopted later.
    await deps.stores.blobs.deleteJournal(name);
    if (late === "unwanted") await tokens.abandon();
  }
}

/** Undefined: not settled in time. With `patient`, a row that somebody else holds is looked at until the end. */
async function tryCommit(
  { lease, sealed, facts }: NewTokens,
  until: number,
  patient: boolean,
  deps: CommitDeps,
): Promise<Settled | undefined> {
  const { grants } = deps.stores;
  for (let tries = 0; ; tries += 1) {
    const pause = pauses[Math.min(tries, pauses.length - 1)] ?? second;
    try {
      const left = Math.max(until - deps.clock(), second);
      if (await within(left, grants.commit(lease, sealed, facts, deps.by ?? "request"))) return "committed";
      // Perhaps an earlier try was executed and only its answer was lost.
      const settled = judge(lease, await within(left, grants.read(lease.connectionId)));
      if (settled !== undefined || !patient) return settled;
      if (deps.clock() + pause > until) return undefined;
    } catch (error) {
      if (deps.clock() + pause > until) {
        deps.log({ event: "commit_failed", connection: lease.connectionId, error: errorKind(error) });
        return undefined;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** What a refused commit means. Undefined: whoever took the lease over has not finished, and may never do so. */
function judge(lease: Lease, seen: GrantState | null): Settled | undefined {
  if (seen === null) return "unwanted";
  if (seen.gen === lease.gen + 1 && seen.blob_fence === lease.fence) return "committed";
  // The present refresh token may descend from ours: to revoke ours could end its whole family.
  if (seen.gen > lease.gen + 1) return "superseded";
  return seen.gen === lease.gen && seen.status !== "disconnected" ? undefined : "unwanted";
}

async function tryJournal(name: BlobName, journal: Journal, deps: CommitDeps): Promise<boolean> {
  const until = deps.clock() + journalBudget;
  for (let tries = 0; ; tries += 1) {
    try {
      await within(Math.max(until - deps.clock(), second), deps.stores.blobs.putJournal(name, journal));
      return true;
    } catch (error) {
      const pause = pauses[Math.min(tries, pauses.length - 1)] ?? second;
      if (deps.clock() + pause > until) {
        deps.log({ event: "journal_failed", connection: name.connectionId, error: errorKind(error) });
        return false;
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

/** A storage that hangs is a storage that failed: the next place must be tried while there is time. */
async function within<T>(time: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new DOMException("", "TimeoutError")), time);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
