import { minute, second } from "../lib/clock.ts";
import type { Due, DueCursor, DueRow, PutOff } from "../store/due.ts";
import type { LoadedKeys } from "../store/loaded-keys.ts";
import { attend, spread, waits, type AttendDeps, type Outcome } from "./attend-due.ts";
import { hostOf, workInLanes } from "./lanes.ts";

export interface RefreshDueDeps extends AttendDeps {
  readonly stores: AttendDeps["stores"] & { readonly due: Due; readonly loadedKeys: LoadedKeys };
  /** Connections that one run works on, at most. */
  readonly backgroundBudget: number;
}

/** Nothing new begins after this long, ms: a provider may take 20 s more, and the next run comes in a minute. */
const beginsFor = 20 * second;
const pageSize = 100;
/** Pages that one run reads: what cannot be opened here is put off a page at a time. */
const pages = 5;
/** A deployment reports its keys each minute: one that did so in this time is there. ms. */
const reportedWithin = 3 * minute;

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

  const next = async (): Promise<readonly DueRow[]> => {
    while (read < pages) {
      read += 1;
      const page = await stores.due.page(cursor, pageSize, fingerprints);
      cursor = page.at(-1) ?? cursor;
      const sorted = Map.groupBy(page, whatFor);
      for (const row of sorted.get("nothing") ?? []) putOff.push({ ...row, delay: null });
      for (const row of sorted.get("suspended") ?? [])
        putOff.push({ ...row, delay: spread(waits.suspended, deps) });
      const unknown = sorted.get("unknown key") ?? [];
      const wait = unknown.length > 0 ? await waitForKey(fingerprints, deps) : 0;
      for (const row of unknown) putOff.push({ ...row, delay: spread(wait, deps) });
      notLoaded += unknown.length;
      const work = sorted.get("work") ?? [];
      if (work.length > 0 || page.length < pageSize) return work;
    }
    return [];
  };

  let resting: readonly DueRow[] = [];
  try {
    resting = await workInLanes<DueRow>({
      next,
      laneOf: providerOf,
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
  } finally {
    await stores.due.putOff(putOff);
  }
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
function whatFor(row: DueRow): "work" | "nothing" | "suspended" | "unknown key" {
  if (row.status === "disconnected" || row.storage !== "managed" || row.state === "reauth") return "nothing";
  if (row.status === "suspended") return "suspended";
  return row.wrapped_data_key === null ? "unknown key" : "work";
}

/** Whom the work bothers: the authorization server, or the service itself. Display copies do: nothing is sent by them. */
function providerOf(row: DueRow): string {
  return hostOf(row.issuer ?? row.upstream_url);
}

/** How long to leave rows whose key is not loaded, ms: an old version of a worker must not put off the new one's. */
async function waitForKey(loaded: readonly string[], { stores }: RefreshDueDeps): Promise<number> {
  const elsewhere = [...(await stores.loadedKeys.recent(reportedWithin))];
  return elsewhere.some((key) => !loaded.includes(key)) ? waits.elsewhere : waits.unknown;
}
