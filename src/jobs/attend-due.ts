import type { ProbeDeps } from "../connect/probe.ts";
import { readCurrentBlob } from "../grants/current-blob.ts";
import { renewBeside } from "../grants/ensure-fresh.ts";
import { openGrant } from "../grants/grant.ts";
import { bindingOf, managedKey } from "../grants/grant-key.ts";
import type { Held, RefreshDeps, Refreshed } from "../grants/held.ts";
import { day, minute } from "../lib/clock.ts";
import { Fault } from "../lib/fault.ts";
import { errorKind } from "../lib/log.ts";
import type { Due, DueRow } from "../store/due.ts";
import { VaultError } from "../vault/error.ts";
import { checkLive } from "./check-live.ts";

export interface AttendDeps extends RefreshDeps, ProbeDeps {
  readonly stores: RefreshDeps["stores"] & { readonly due: Due };
}

/** Waits before a row is looked at again, ms. */
export const waits = {
  /** Somebody else is at it, and says itself when it is due again; this is for the case that they died. */
  busy: minute,
  /** A provider that rests. */
  resting: 2 * minute,
  delayed: 5 * minute,
  /** A master key that another deployment has, perhaps a newer version of this one: it may have got to the row by then. */
  elsewhere: 5 * minute,
  /** Suspended: whoever restores it finds it looked at again by itself. */
  suspended: day,
  /** The service could not be asked, the grant cannot be opened, or whoever was at it died. */
  unknown: 60 * minute,
} as const;

export type Outcome = "renewed" | "works" | "refused" | "later" | "reauthorize" | "unreadable" | "elsewhere";

/** Up to a quarter more, so that what was put off together does not come back together. */
export function spread(wait: number, { random }: Pick<AttendDeps, "random">): number {
  return Math.round(wait * (1 + (random(1)[0] ?? 0) / 1020));
}

interface Attended {
  readonly outcome: Outcome;
  /** When to come back, ms, where nothing that was written says so already; null: never. */
  readonly delay?: number | null;
}

/** Does for one due connection what its time has come for. What fails ends in a time to come back. */
export async function attend(row: DueRow, deps: AttendDeps): Promise<Attended> {
  try {
    try {
      return await renewOrCheck(row, deps);
    } catch (error) {
      // Sealed again meanwhile, perhaps under another key.
      if (error instanceof VaultError && (await deps.stores.grants.read(row.id))?.gen !== row.gen)
        return { outcome: "elsewhere", delay: waits.busy };
      throw error;
    }
  } catch (error) {
    if (error instanceof Fault && error.code === "grant_delayed")
      return { outcome: "unreadable", delay: waits.delayed };
    const broken = error instanceof VaultError;
    deps.log({
      event: broken ? "grant_unreadable" : "background_failed",
      connection: row.id,
      error: errorKind(error),
    });
    return { outcome: "unreadable", delay: spread(broken ? waits.unknown : waits.delayed, deps) };
  }
}

async function renewOrCheck(row: DueRow, deps: AttendDeps): Promise<Attended> {
  if (row.access_expires_at !== null && row.refreshable === 0) {
    await deps.stores.due.ended(row);
    // Where somebody holds a lease it has not ended yet: what they bring, or their silence, decides.
    return { outcome: "reauthorize", delay: waits.busy };
  }
  const held = await open(row, deps);
  if (row.access_expires_at === null) return await check(row, held, deps);
  return afterRefresh(await renewBeside(held, byItself(deps)), deps);
}

function byItself(deps: AttendDeps): AttendDeps {
  return { ...deps, by: "schedule" };
}

async function open(row: DueRow, deps: AttendDeps): Promise<Held> {
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
function afterRefresh(refreshed: Refreshed, deps: AttendDeps): Attended {
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
      // Disconnected, suspended or signed in again just now: the next look tells which.
      return { outcome: "elsewhere", delay: waits.busy };
  }
}

async function check(row: DueRow, held: Held, deps: AttendDeps): Promise<Attended> {
  const { due } = deps.stores;
  // No lease is taken for a check, so this keeps runs that overlap from asking twice.
  if (!(await due.claim(row, spread(waits.unknown, deps)))) return { outcome: "elsewhere" };
  switch (await checkLive(held.grant, deps.catalogue.get(row.service), deps)) {
    case "works":
      await due.works(row);
      return { outcome: "works" };
    case "refused":
      if (row.refreshable === 1) return await renewRefused(row, held, deps);
      await due.refused(row, row.refused_since);
      return { outcome: "refused" };
    case "unknown":
      return { outcome: "later" };
  }
}

/** Tokens that said nothing of an end may have had one. Where new ones are refused too, it is not that. */
async function renewRefused(row: DueRow, held: Held, deps: AttendDeps): Promise<Attended> {
  const renewed = await renewBeside(held, byItself(deps));
  if (renewed.kind !== "fresh") return afterRefresh(renewed, deps);
  const { binding, grant } = renewed.held;
  if ((await checkLive(grant, deps.catalogue.get(row.service), deps)) !== "refused")
    return afterRefresh(renewed, deps);
  await deps.stores.due.refused({ id: row.id, gen: binding.generation }, row.refused_since);
  return { outcome: "refused" };
}
