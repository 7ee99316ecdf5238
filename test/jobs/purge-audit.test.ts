import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { pruneAudit } from "../../src/jobs/purge.ts";
import { chainHash, type ChainedEvent } from "../../src/lib/audit-chain.ts";
import { createStores } from "../../src/store/index.ts";
import { createInstance } from "../support/instance.ts";
import { createOwner } from "../support/owner.ts";
import { edit } from "../support/storage.ts";

const stores = createStores(env.DB, env.BLOBS);
const deps = { stores, backgroundBudget: 3, log: () => undefined };
const day = 86_400_000;
let workspace: string;

beforeEach(async () => {
  await edit(env, "UPDATE workspaces SET erasing_at = 1");
  await edit(env, "DELETE FROM audit_events");
  await edit(env, "UPDATE workspaces SET erasing_at = NULL");
  ({ workspace } = await createOwner());
});

/** Events as they were recorded so many days ago, each with the days that it is kept. */
async function recorded(events: readonly (readonly [age: number, days: number])[]): Promise<void> {
  let before = "";
  let seq = 0;
  for (const [age, days] of events) {
    seq += 1;
    const event: ChainedEvent = {
      workspace_id: workspace,
      seq,
      at: Date.now() - age * day,
      type: "login",
      actor: "owner",
      connection_id: null,
      service: null,
      detail: "{}",
    };
    before = await chainHash(before, event);
    await edit(
      env,
      `INSERT INTO audit_events (workspace_id, seq, at, type, actor, detail, keep_until, hash)
       VALUES (?1, ?2, ?3, 'login', 'owner', '{}', ?4, ?5)`,
      workspace,
      seq,
      event.at,
      event.at + days * day,
      before,
    );
  }
}

interface Kept extends ChainedEvent {
  readonly hash: string;
}

async function kept(): Promise<readonly Kept[]> {
  const { results } = await env.DB.prepare("SELECT * FROM audit_events WHERE workspace_id = ?1 ORDER BY seq")
    .bind(workspace)
    .all<Kept>();
  return results;
}

const checkpoint = async () =>
  await env.DB.prepare("SELECT seq, hash FROM audit_checkpoints WHERE workspace_id = ?1")
    .bind(workspace)
    .first<{ seq: number; hash: string }>();

/** As whoever has an export verifies it: from the checkpoint on, without a gap. */
async function verified(): Promise<boolean> {
  let { seq, hash } = (await checkpoint()) ?? { seq: 0, hash: "" };
  for (const event of await kept()) {
    seq += 1;
    hash = await chainHash(hash, event);
    if (event.seq !== seq || event.hash !== hash) return false;
  }
  return true;
}

describe("T88 pruning the audit log", () => {
  it("T88 what is over goes behind a checkpoint, and the rest can be verified from there", async () => {
    await recorded([
      [50, 30],
      [45, 30],
      [40, 30],
      [20, 30],
      [1, 30],
    ]);
    const third = (await kept())[2]?.hash;
    await createInstance().cron("17 * * * *");
    expect((await kept()).map(({ seq }) => seq)).toEqual([4, 5]);
    expect(await checkpoint()).toEqual({ seq: 3, hash: third });
    expect(await verified()).toBe(true);
    expect(await pruneAudit(deps)).toBe(0);
  });

  it("T88 chains that cannot be shortened yet keep no others from it", async () => {
    for (let at = 0; at < 8; at += 1) {
      await recorded([
        [60, 90],
        [50, 7],
      ]);
      ({ workspace } = await createOwner());
    }
    await recorded([
      [50, 30],
      [1, 30],
    ]);
    expect(await pruneAudit(deps)).toBe(1);
    expect(await checkpoint()).toMatchObject({ seq: 1 });
  });

  it("T88 an event that is still kept keeps those behind it", async () => {
    await recorded([
      [50, 30],
      [45, 90],
      [40, 7],
      [1, 7],
    ]);
    expect(await pruneAudit(deps)).toBe(1);
    expect((await kept()).map(({ seq }) => seq)).toEqual([2, 3, 4]);
    expect(await verified()).toBe(true);
  });

  it("T88 the chain goes on where all of it is over", async () => {
    await recorded([
      [50, 30],
      [45, 30],
    ]);
    expect(await pruneAudit(deps)).toBe(2);
    await stores.audit.record(workspace, { type: "login", actor: "owner" }, []);
    expect((await kept()).map(({ seq }) => seq)).toEqual([3]);
    expect(await verified()).toBe(true);
  });

  it("T88 an event that is kept for no time stays for the writers that have seen it as the last", async () => {
    await recorded([
      [50, 30],
      [0, 0],
    ]);
    expect(await pruneAudit(deps)).toBe(1);
    expect((await kept()).map(({ seq }) => seq)).toEqual([2]);
  });

  it("T88 two runs at once take each event once", async () => {
    await recorded([
      [50, 30],
      [45, 30],
      [1, 30],
    ]);
    await Promise.all([pruneAudit(deps), pruneAudit(deps)]);
    expect(await checkpoint()).toMatchObject({ seq: 2 });
    expect(await verified()).toBe(true);
  });

  it("T88 more than one batch, of several workspaces", async () => {
    await recorded(Array.from({ length: 7 }, () => [50, 30] as const));
    expect(await stores.auditPrune.prune(workspace, 3)).toBe(3);
    expect(await verified()).toBe(true);
    const first = workspace;
    ({ workspace } = await createOwner());
    await recorded([[50, 30]]);
    expect(await pruneAudit(deps)).toBe(5);
    workspace = first;
    expect(await checkpoint()).toMatchObject({ seq: 7 });
  });

  it("T88 an altered event is found, also the first behind the checkpoint", async () => {
    await recorded([
      [50, 30],
      [20, 30],
      [1, 30],
    ]);
    await pruneAudit(deps);
    await edit(env, "UPDATE audit_checkpoints SET hash = 'another' WHERE workspace_id = ?1", workspace);
    expect(await verified()).toBe(false);
  });
});
