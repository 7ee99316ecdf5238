import { day as dayLength, minute, type Clock } from "../lib/clock.ts";
import type { Defer } from "../lib/defer.ts";
import type { FaultCode } from "../lib/fault.ts";
import type { AdmissionRow } from "../store/connections.ts";
import type { Stores } from "../store/index.ts";
import type { Counts } from "../store/usage.ts";

/** `last_used_at` is this coarse. */
const touchInterval = 5 * minute;
/** Counts of a connection are written at most this often by an isolate, ms. */
const writeInterval = 2 * minute;
/** Connections that an isolate remembers, at most; what falls out costs a conditional write, or a few counts. */
const remembered = 5000;

/** When this isolate last wrote a connection's use. */
const touched = new Map<string, number>();

interface Pending extends Counts {
  readonly id: string;
  readonly day: number;
}

/** Counted here and not written yet, by connection and day. */
const pending = new Map<string, Pending>();
/** When this isolate last wrote a connection's counts. */
const written = new Map<string, number>();
/** Until when an invocation waits to write what comes together. */
let waitingUntil = 0;
/** Nothing is due before: most calls need not look. */
let nextLook = 0;
/** ms. */
const lookInterval = 10_000;

export interface UsageDeps {
  readonly clock: Clock;
  readonly defer: Defer;
  readonly stores: Pick<Stores, "connections" | "usage">;
  /** How long counts are gathered before an invocation writes them, ms; 0: a later call writes them. */
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
  if (response === undefined || (row.refused_since === null && row.unreachable_since === null)) return;
  defer("note_signal", stores.usage.signal(row.id, null));
}

function count(id: string, { startedAt, response }: Outcome, now: number): void {
  const day = Math.floor(now / dayLength);
  const key = `${id} ${day}`;
  const before = pending.get(key);
  const failed = response === undefined || response.status >= 400;
  if (before === undefined && pending.size >= remembered) pending.clear();
  if (!written.has(id)) nextLook = 0;
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
 * One invocation of a burst stays behind its answer for `usageWait` and writes for all, so that the counts of a burst
 * are not lost with its isolate. What one wait leaves, because it was written a moment ago, the next call takes along.
 */
function writeLater(now: number, deps: UsageDeps): void {
  if (waitingUntil > now || nextLook > now) return;
  const wait = deps.usageWait;
  nextLook = now + lookInterval;
  if (due(now + wait).length === 0) return;
  waitingUntil = now + wait;
  deps.defer("write_usage", write(wait, deps));
}

function due(at: number): readonly (readonly [string, Pending])[] {
  return [...pending].filter(([, { id }]) => {
    const last = written.get(id);
    return last === undefined ? true : at - last >= writeInterval;
  });
}

async function write(wait: number, { clock, stores }: UsageDeps): Promise<void> {
  if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
  const now = clock();
  const ready = due(now);
  if (ready.length === 0) return;
  if (written.size >= remembered) written.clear();
  for (const [key, { id }] of ready) {
    pending.delete(key);
    written.set(id, now);
  }
  await stores.usage.add(ready.map(([, counted]) => counted));
}
