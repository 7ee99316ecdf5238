import { managedKey } from "../grants/grant-key.ts";
import {
  newDataKeys,
  resealGrant,
  resealRegistrations,
  type Attempt,
  type KeyChange,
  type ReencryptDeps,
} from "../grants/reencrypt.ts";
import { readable } from "../grants/rewrap.ts";
import { toHex } from "../lib/bytes.ts";
import type { Clock } from "../lib/clock.ts";
import type { Stores } from "../store/index.ts";
import type { OldDataKey } from "../store/replaced-keys.ts";
import type { SealedUnder } from "../store/resealing.ts";
import type { Rotation } from "../store/rotations.ts";
import { DEPLOYMENT } from "../vault/data-key.ts";
import { beginning, format, parse, type Position } from "./reencrypt-position.ts";

/** Data keys of one page, which takes some seven queries: a run does one for so many units of its budget. */
const pageOfKeys = 50;
const unitsOfPage = 3;
const mostPages = 6;
/** Connections or registrations of one chunk, which takes three queries and reads KV for each. */
const chunk = 50;
const unitsOfChunk = 1.5;
const mostChunks = 12;
/** Simultaneous reads of KV: the platform holds further ones back anyway. */
const atOnce = 6;

export interface ReencryptJobDeps extends ReencryptDeps {
  readonly stores: ReencryptDeps["stores"] & Pick<Stores, "replacedKeys" | "resealing">;
  readonly clock: Clock;
  readonly backgroundBudget: number;
}

export interface ReencryptRun {
  /** Grants and registrations that were sealed again, and data keys that were deleted. */
  readonly done: number;
  readonly unreadable: number;
  readonly position: string;
  /** No data key is left to replace. */
  readonly complete: boolean;
}

/** What one run may still do, and has done. */
interface Run {
  readonly until: number;
  chunks: number;
  done: number;
  unreadable: number;
}

/**
 * Replaces data keys. Owners of old ones get a new one; grants and registrations move to it, each in one conditional
 * write; and what seals nothing any more is deleted. Every step may be the last that a process does: what was moved
 * does not turn up again. What somebody is at just now, or waits for its provider, is left to a later pass.
 */
export async function reencrypt(
  rotation: Rotation,
  until: number,
  deps: ReencryptJobDeps,
): Promise<ReencryptRun> {
  const { backgroundBudget: budget } = deps;
  const chunks = Math.min(Math.ceil(budget / unitsOfChunk), mostChunks);
  const pages = Math.min(Math.ceil(budget / unitsOfPage), mostPages);
  const run: Run = { until, chunks, done: 0, unreadable: 0 };
  let position = parse(rotation.position);
  for (let page = 0; page < pages; page += 1) {
    const keys = await pageAfter(position, rotation, deps);
    const stopped = await replacePage(keys, position, rotation, run, deps);
    if (stopped !== null) return pausedAt({ ...position, connection: stopped }, run);
    const last = keys.at(-1);
    if (last === undefined || keys.length < pageOfKeys) {
      const complete = !(await deps.stores.replacedKeys.isLeft(rotation.id));
      return { done: run.done, unreadable: run.unreadable, position: "", complete };
    }
    position = { ...beginning, rotation: last.rotation_id, key: last.id };
    if (deps.clock() >= until) break;
  }
  return pausedAt(position, run);
}

/** The next old data keys, each with the one that takes its place. */
async function pageAfter(
  position: Position,
  rotation: Rotation,
  deps: ReencryptJobDeps,
): Promise<readonly OldDataKey[]> {
  const { replacedKeys } = deps.stores;
  const after = { rotation: position.rotation, id: position.key };
  const read = async () => await replacedKeys.oldKeys(rotation, deps.keyring.fingerprints, after, pageOfKeys);
  const keys = await read();
  const owners = new Set(keys.filter((key) => key.next_id === null).map((key) => key.owner));
  if (owners.size === 0) return keys;
  await replacedKeys.insertKeys(rotation, await newDataKeys([...owners], deps));
  // Read again: another run may have been first for some owners.
  return await read();
}

/** Null when the page is through; else where its connections go on. */
async function replacePage(
  keys: readonly OldDataKey[],
  position: Position,
  rotation: Rotation,
  run: Run,
  deps: ReencryptJobDeps,
): Promise<Position["connection"] | null> {
  if (keys.length === 0) return null;
  const { replacedKeys, resealing } = deps.stores;
  const changes = await openAll(keys, run, deps);
  const opened = [...changes.keys()];
  let after = position.connection;
  for (;;) {
    if (run.chunks === 0 || deps.clock() >= run.until) return after;
    run.chunks -= 1;
    const rows = await resealing.sealedUnder(opened, after, chunk);
    await moveGrants(rows, changes, run, deps);
    const last = rows.at(-1);
    if (last === undefined || rows.length < chunk) break;
    after = { dataKey: last.data_key_id, id: last.id };
  }
  await moveRegistrations(keys, changes, run, deps);
  const ids = keys.map((key) => key.id);
  await resealing.releaseEmpty(ids);
  run.done += await replacedKeys.deleteSpent(rotation.id, ids, rotation.fingerprint);
  return null;
}

/** What can be opened, by the id of the old data key. */
async function openAll(
  keys: readonly OldDataKey[],
  run: Run,
  { keyring, environment }: ReencryptJobDeps,
): Promise<ReadonlyMap<string, KeyChange>> {
  const changes = new Map<string, KeyChange>();
  for (const key of keys) {
    const open = async (id: string | null, wrapped: string | null) =>
      await readable(
        managedKey(id === null || wrapped === null ? null : { id, wrapped }, key.owner, keyring, environment),
      );
    const [from, to] = [await open(key.id, key.wrapped), await open(key.next_id, key.next_wrapped)];
    if (from === undefined || to === undefined) run.unreadable += 1;
    else changes.set(key.id, { from, to });
  }
  return changes;
}

async function moveGrants(
  rows: readonly SealedUnder[],
  changes: ReadonlyMap<string, KeyChange>,
  run: Run,
  deps: ReencryptJobDeps,
): Promise<void> {
  const attempts: Attempt[] = [];
  for (let at = 0; at < rows.length; at += atOnce) {
    const group = rows.slice(at, at + atOnce);
    attempts.push(
      ...(await Promise.all(
        group.map(async (row): Promise<Attempt> => {
          const change = changes.get(row.data_key_id);
          return change === undefined ? "later" : await resealGrant(row, change, deps);
        }),
      )),
    );
  }
  const resealed = attempts.filter((attempt) => typeof attempt !== "string");
  run.unreadable += attempts.filter((attempt) => attempt === "unreadable").length;
  if (resealed.length > 0) run.done += await deps.stores.resealing.commit(resealed);
}

async function moveRegistrations(
  keys: readonly OldDataKey[],
  changes: ReadonlyMap<string, KeyChange>,
  run: Run,
  deps: ReencryptJobDeps,
): Promise<void> {
  const own = keys.filter((key) => key.owner === DEPLOYMENT && changes.has(key.id)).map((key) => key.id);
  const to = changes.get(own[0] ?? "")?.to;
  if (to === undefined) return;
  const { resealing } = deps.stores;
  let after = "";
  while (run.chunks > 0 && deps.clock() < run.until) {
    run.chunks -= 1;
    const rows = await resealing.registrationsUnder(own, after, chunk);
    const resealed = await resealRegistrations(rows, changes, deps);
    run.unreadable += rows.length - resealed.length;
    if (resealed.length > 0) {
      run.done += await resealing.commitRegistrations(toHex(to.kid), resealed);
    }
    if (rows.length < chunk) return;
    after = rows.at(-1)?.id ?? "";
  }
}

function pausedAt(position: Position, { done, unreadable }: Run): ReencryptRun {
  return { done, unreadable, position: format(position), complete: false };
}
