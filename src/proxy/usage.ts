import { day as dayLength, minute, type Clock } from "../lib/clock.ts";
import type { Defer } from "../lib/defer.ts";
import type { FaultCode } from "../lib/fault.ts";
import type { AdmissionRow } from "../store/admission.ts";
import type { Stores } from "../store/index.ts";
import type { Counts } from "../store/usage.ts";

/** `last_used_at` is this coarse. */
const touchInterval = 5 * minute;
/** Connections that an isolate remembers, at most; what falls out costs a conditional write. */
const remembered = 5000;
/** Connections whose counts are gathered, at most: then they are written at once. */
const gathered = 2000;

/** When this isolate last wrote a connection's use. */
const touched = new Map<string, number>();

interface Pending extends Counts {
  readonly id: string;
  readonly day: number;
}

/** Counted here and not written yet, by connection and day. */
const pending = new Map<string, Pending>();
/** Until when an invocation waits to write what comes together. */
let waitingUntil = 0;

export interface UsageDeps {
  readonly clock: Clock;
  readonly defer: Defer;
  readonly stores: Pick<Stores, "connections" | "usage">;
  /** How long counts are gathered before an invocation writes them, ms; 0: a later call writes them, once a minute. */
  readonly usageWait: number;
}

/** How a call ended. `fault`: it was admitted, and refused later. */
export interface Outcome {
  readonly startedAt: number;
  readonly response?: Response;
  readonly fault?: FaultCode;
}

type Used = Pick<AdmissionRow, "id" | "last_used_at" | "refused_since" | "unreachable_since">;

/**
 * Notes a call after its answer: counts in memory, `last_used_at` roughly, and what the call showed of the service
 * where that changed. In the steady state a call writes nothing.
 */
export function noteCall(row: Used, outcome: Outcome, deps: UsageDeps): void {
  const now = deps.clock();
  if (outcome.fault === undefined) touch(row, now, deps);
  signal(row, outcome, deps);
  count(row.id, outcome, now);
  writeLater(now, deps);
}

function touch(row: Used, now: number, deps: UsageDeps): void {
  const last = Math.max(row.last_used_at ?? 0, touched.get(row.id) ?? 0);
  if (now - last < touchInterval) return;
  if (touched.size >= remembered) touched.clear();
  touched.set(row.id, now);
  deps.defer("touch_last_used", deps.stores.connections.touch(row.id, touchInterval));
}

/** Statuses by which what stands before a service says that the service itself did not answer. */
const silent = new Set([502, 504, 520, 521, 522, 523, 524, 525, 526, 530]);

/** Whether an answer shows that the service takes the credential: one that is busy or broken has not looked at it. */
function takesCredential({ status }: Response): boolean {
  return status < 500 && status !== 401 && status !== 403 && status !== 429;
}

function signal(row: Used, { response, fault }: Outcome, { defer, stores }: UsageDeps): void {
  if (fault === "upstream_rejected" || fault === "reauthorize_required") {
    if (row.refused_since === null) defer("note_signal", stores.usage.signal(row.id, "refused_since"));
    return;
  }
  const unreachable =
    fault === "upstream_unreachable" ||
    fault === "upstream_timeout" ||
    (response !== undefined && silent.has(response.status));
  if (unreachable) {
    if (row.unreachable_since === null)
      defer("note_signal", stores.usage.signal(row.id, "unreachable_since"));
    return;
  }
  // A refusal of ours says nothing of the service.
  if (response === undefined) return;
  if (takesCredential(response)) {
    if (row.refused_since !== null || row.unreachable_since !== null)
      defer("note_signal", stores.usage.signal(row.id, null));
  } else if (row.unreachable_since !== null) defer("note_signal", stores.usage.answered(row.id));
}

function count(id: string, { startedAt, response }: Outcome, now: number): void {
  const day = Math.floor(now / dayLength);
  const key = `${id} ${day}`;
  const before = pending.get(key);
  const failed = response === undefined || response.status >= 400;
  pending.set(key, {
    id,
    day,
    requests: (before?.requests ?? 0) + 1,
    errors: (before?.errors ?? 0) + (failed ? 1 : 0),
    bytes: (before?.bytes ?? 0) + (Number(response?.headers.get("content-length") ?? 0) || 0),
    duration_ms: (before?.duration_ms ?? 0) + Math.max(0, now - startedAt),
  });
}

/**
 * One invocation stays behind its answer for `usageWait` and writes for all that come meanwhile: one statement in that
 * time, and no count waits for a later call, which may come to another isolate or never.
 */
function writeLater(now: number, deps: UsageDeps): void {
  if (pending.size >= gathered) {
    deps.defer("write_usage", write(0, deps));
    return;
  }
  if (waitingUntil > now) return;
  waitingUntil = now + (deps.usageWait === 0 ? minute : deps.usageWait);
  deps.defer("write_usage", write(deps.usageWait, deps));
}

/** What is being written leaves the memory first: a write whose answer is lost must not be counted twice. */
async function write(wait: number, { stores }: UsageDeps): Promise<void> {
  if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
  const ready = [...pending.values()];
  pending.clear();
  if (ready.length > 0) await stores.usage.add(ready);
}
