import { expect } from "vitest";
import { silence } from "../../src/store/rotation-queries.ts";
import {
  all,
  createWorker,
  keyringOf,
  makeKey,
  makeWorkspace,
  pass,
  request,
  wipe,
  type MadeKey,
  type Worker,
} from "./rotation.ts";

/** Longer than anybody may still take an old data key, or lack the target. ms. */
export const longEnough = silence + 60_000;

/** One storage and three deployments: with the old key, with both (the target active), with the target alone. */
export interface SetUp {
  readonly old: MadeKey;
  readonly target: MadeKey;
  readonly before: Worker;
  readonly both: Worker;
  readonly after: Worker;
  readonly connections: readonly string[];
}

export async function setUp(workspaces: number, each: number): Promise<SetUp> {
  await wipe();
  const [old, target] = [await makeKey(), await makeKey()];
  const before = createWorker(await keyringOf(old));
  const connections: string[] = [];
  for (let at = 0; at < workspaces; at += 1) {
    const workspace = await makeWorkspace();
    for (let more = 0; more < each; more += 1) connections.push(await before.connect(workspace));
  }
  return {
    old,
    target,
    before,
    both: createWorker(await keyringOf(old, target)),
    after: createWorker(await keyringOf(target)),
    connections,
  };
}

/** A rotation that has come to where data keys are replaced. */
export async function settle(up: SetUp): Promise<void> {
  await request(up.target.fingerprint, true);
  await up.both.rotate();
  await pass(longEnough);
  await up.both.rotate();
  expect((await state())?.settled_at).not.toBeNull();
}

export const state = async () =>
  (
    await all<{ settled_at: number | null; finished_at: number | null }>(
      "SELECT settled_at, finished_at FROM rotations ORDER BY id DESC LIMIT 1",
    )
  )[0];

export const dataKeys = async () =>
  await all<{ id: string; owner: string; rotation_id: number; wrapped_by: string }>(
    "SELECT id, owner, rotation_id, wrapped_by FROM data_keys ORDER BY owner, created_at",
  );

/** Every connection opens with the keys of this deployment. */
export async function everyoneOpens(up: SetUp, worker: Worker): Promise<void> {
  for (const id of up.connections) expect(await worker.open(id)).toMatch(/^secret of wsp_/);
}

/** After the time in which somebody could still take an old data key for something new. */
export async function finish(up: SetUp): Promise<void> {
  await up.both.rotate();
  await pass(longEnough);
  await up.both.rotate();
  await up.both.rotate();
}
