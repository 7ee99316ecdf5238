import type { ProbeDeps } from "../connect/probe.ts";
import { readCurrentBlob } from "../grants/current-blob.ts";
import { renewBeside } from "../grants/ensure-fresh.ts";
import { openGrant } from "../grants/grant.ts";
import { bindingOf, managedKey } from "../grants/grant-key.ts";
import type { Held, RefreshDeps, Refreshed } from "../grants/held.ts";
import { day, minute, second } from "../lib/clock.ts";
import { Fault } from "../lib/fault.ts";
import { errorKind } from "../lib/log.ts";
import type { Due, DueCursor, DueRow, PutOff } from "../store/due.ts";
import { VaultError } from "../vault/error.ts";
import type { Keyring } from "../vault/keyring.ts";
import { checkLive } from "./check-live.ts";
import { workInLanes } from "./lanes.ts";

export interface RefreshDueDeps extends RefreshDeps, ProbeDeps {
  readonly stores: RefreshDeps["stores"] & { readonly due: Due };
  readonly keyring: Keyring | undefined;
  /** Connections that one run works on, at most. */
  readonly backgroundBudget: number;
}

/** Nothing new begins after this long, ms: a provider may take 20 s more, and the next run comes in a minute. */
const beginsFor = 20 * second;
const pageSize = 100;
/** Pages that one run reads: what cannot be opened here is put off a page at a time. */
const pages = 5;

/** Waits before a row is looked at again, ms. */
const waits = {
  /** Somebody else is at it, and says itself when it is due again; this is for the case that they died. */
  busy: minute,
  /** A provider that rests. */
  resting: 2 * minute,
  delayed: 5 * minute,
  /** The service could not be asked, the grant cannot be opened, or whoever was at it died. */
  unknown: 60 * minute,
} as const;

type Outcome = "renewed" | "works" | "refused" | "later" | "reauthorize" | "unreadable" | "elsewhere";

/**
 * Keeps managed connections alive without their owner: renews tokens before they end, and asks once a day whether
 * secrets that do not end still work. Works on what is due longest, within its budget; the next run goes on. Answers
 * how many connections it worked on.
 */
export async function refreshDue(deps: RefreshDueDeps): Promise<number> {
  const { stores, clock, log } = deps;
  const fingerprints = deps.keyring?.fingerprints ?? [];
  const until = clock() + beginsFor;
  const counts = new Map<Outcome, number>();
  const putOff: PutOff[] = [];
  let [begun, read, notLoaded] = [0, 0, 0];
  let cursor: DueCursor | null = null;

  const resting = await workInLanes<DueRow>({
    next: async () => {
      while (read < pages) {
        read += 1;
        const page = await stores.due.page(cursor, pageSize, fingerprints);
        cursor = page.at(-1) ?? cursor;
        const sorted = Map.groupBy(page, whatFor);
        for (const row of sorted.get("nothing") ?? []) putOff.push({ ...row, delay: null });
        for (const row of sorted.get("unknown key") ?? [])
          putOff.push({ ...row, delay: spread(waits.unknown, deps) });
        notLoaded += sorted.get("unknown key")?.length ?? 0;
        const work = sorted.get("work") ?? [];
        if (work.length > 0 || page.length < pageSize) return work;
      }
      return [];
    },
    laneOf,
    work: async (row) => {
      begun += 1;
      const { outcome, delay } = await attend(row, deps);
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
      if (delay !== undefined) putOff.push({ ...row, delay });
      return outcome !== "later";
    },
    mayBegin: () => begun < deps.backgroundBudget && clock() < until,
  });

  for (const row of resting) putOff.push({ ...row, delay: spread(waits.resting, deps) });
  await stores.due.putOff(putOff);
  if (notLoaded > 0) log({ event: "keys_not_loaded", connections: notLoaded });
  if (begun > 0) {
    const count = (outcome: Outcome): number => counts.get(outcome) ?? 0;
    log({
      event: "background_done",
      renewed: count("renewed"),
      works: count("works"),
      refused: count("refused"),
      later: count("later") + resting.length,
      reauthorize: count("reauthorize"),
      unreadable: count("unreadable"),
    });
  }
  return begun;
}

/** What a due row asks for. One whose key is not loaded is nobody's fault here, and costs no more than this look. */
function whatFor(row: DueRow): "work" | "nothing" | "unknown key" {
  if (row.status !== "active" || row.storage !== "managed" || row.state === "reauth") return "nothing";
  return row.wrapped_data_key === null ? "unknown key" : "work";
}

/** Whom the work bothers: the authorization server, or the service itself. Display copies do: nothing is sent by them. */
function laneOf(row: DueRow): string {
  const address = row.issuer ?? row.upstream_url;
  return URL.canParse(address) ? new URL(address).host : address;
}

/** Up to a quarter more, so that what was put off together does not come back together. */
function spread(wait: number, { random }: Pick<RefreshDueDeps, "random">): number {
  return Math.round(wait * (1 + (random(1)[0] ?? 0) / 1020));
}

interface Attended {
  readonly outcome: Outcome;
  /** When to come back, ms, where nothing that was written says so already; null: never. */
  readonly delay?: number | null;
}

async function attend(row: DueRow, deps: RefreshDueDeps): Promise<Attended> {
  try {
    if (row.access_expires_at !== null && row.refreshable === 0) {
      await deps.stores.due.ended(row);
      return { outcome: "reauthorize" };
    }
    const held = await open(row, deps);
    if (row.access_expires_at === null) return await check(row, held, deps);
    return afterRefresh(await renewBeside(held, byItself(deps)), deps);
  } catch (error) {
    if (error instanceof Fault && error.code === "grant_delayed")
      return { outcome: "unreadable", delay: waits.delayed };
    const broken = error instanceof VaultError;
    // Sealed again meanwhile, perhaps under another key.
    if (broken && (await deps.stores.grants.read(row.id))?.gen !== row.gen)
      return { outcome: "elsewhere", delay: waits.busy };
    deps.log({
      event: broken ? "grant_unreadable" : "background_failed",
      connection: row.id,
      error: errorKind(error),
    });
    return { outcome: "unreadable", delay: spread(broken ? waits.unknown : waits.delayed, deps) };
  }
}

function byItself(deps: RefreshDueDeps): RefreshDueDeps {
  return { ...deps, by: "schedule" };
}

async function open(row: DueRow, deps: RefreshDueDeps): Promise<Held> {
  const wrapped =
    row.data_key_id === null || row.wrapped_data_key === null
      ? null
      : { id: row.data_key_id, wrapped: row.wrapped_data_key };
  const key = await managedKey(wrapped, row.workspace_id, deps.keyring, deps.environment);
  const binding = bindingOf(row);
  const sealed = await readCurrentBlob(row, deps.stores.blobs, deps.log);
  return { key, binding, grant: await openGrant(sealed, key, binding, deps.environment) };
}

/** What the refresh wrote stands: a row is put off only where its time is still the one that was read. */
function afterRefresh(refreshed: Refreshed, deps: RefreshDueDeps): Attended {
  switch (refreshed.kind) {
    case "fresh":
      return { outcome: "renewed", delay: waits.busy };
    case "busy":
      return { outcome: "elsewhere", delay: waits.busy };
    case "later":
      return { outcome: "later", delay: spread(Math.min(refreshed.retryAfter, day), deps) };
    case "reauth":
      return { outcome: "reauthorize", delay: null };
    case "gone":
      return { outcome: "elsewhere", delay: null };
  }
}

async function check(row: DueRow, held: Held, deps: RefreshDueDeps): Promise<Attended> {
  const { due } = deps.stores;
  // No lease is taken for a check, so this keeps runs that overlap from asking twice.
  if (!(await due.claim(row, spread(waits.unknown, deps)))) return { outcome: "elsewhere" };
  switch (await checkLive(held.grant, deps.catalogue.get(row.service), deps)) {
    case "works":
      await due.works(row);
      return { outcome: "works" };
    case "refused":
      // Tokens that said nothing of an end may have had one.
      if (row.refreshable === 1) return afterRefresh(await renewBeside(held, byItself(deps)), deps);
      await due.refused(row);
      return { outcome: "refused" };
    case "unknown":
      return { outcome: "later" };
  }
}
