import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { pruneAudit } from "../../src/jobs/prune-audit.ts";
import { chainHash, type ChainedEvent } from "../../src/lib/audit-chain.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { LogEvent } from "../../src/lib/log.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { createStores } from "../../src/store/index.ts";
import { createInstance } from "../support/instance.ts";
import { metered } from "../support/metered.ts";
import { createOwner } from "../support/owner.ts";
import { faultyStores } from "../support/refresh/faulty.ts";
import { edit } from "../support/storage.ts";

const stores = createStores(env.DB, env.BLOBS);
const deps = {
  stores,
  clock: systemClock,
  random: systemRandom,
  backgroundBudget: 3,
  log: () => undefined,
};
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

/** Rows, whose chain nobody looks at here, of an own workspace each. */
async function many(workspaces: number, events: number): Promise<readonly string[]> {
  const owners: string[] = [];
  for (let at = 0; at < workspaces; at += 1) owners.push((await createOwner()).workspace);
  for (const one of owners) {
    await edit(
      env,
      `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?2)
       INSERT INTO audit_events (workspace_id, seq, at, type, actor, detail, keep_until, hash)
       SELECT ?1, n, n, 'login', 'owner', '{}', n, 'h' FROM numbers`,
      one,
      events,
    );
  }
  return owners;
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

  it("T88 one run keeps up with more than one deletion takes, of several workspaces in turn", async () => {
    await many(2, 4500);
    expect(await pruneAudit(deps)).toBe(9000);
    await many(2, 6500);
    expect(await pruneAudit(deps), "six deletions are its budget").toBe(12_000);
    const { results } = await env.DB.prepare(
      "SELECT COUNT(*) AS left FROM audit_events GROUP BY workspace_id",
    ).all();
    expect(results).toEqual([{ left: 500 }, { left: 500 }]);
  });

  it("T88 looking for them costs a look at each workspace, not at each event that is over", async () => {
    await many(1, 4000);
    const meter = metered(env.DB);
    const { over } = await createStores(meter.db, env.BLOBS).auditPrune.waiting("", 1000);
    expect(over).toHaveLength(1);
    const count = await env.DB.prepare("SELECT COUNT(*) AS n FROM workspaces").first<{ n: number }>();
    expect(meter.rowsRead).toBeLessThanOrEqual(3 * (count?.n ?? 0));
  });

  it("T88 pages of workspaces follow one another, and none is left out", async () => {
    const owners = await many(5, 1);
    const seen: string[] = [];
    for (let after: string | null = ""; after !== null;) {
      const page: Awaited<ReturnType<typeof stores.auditPrune.waiting>> = await stores.auditPrune.waiting(
        after,
        2,
      );
      seen.push(...page.over);
      after = page.next;
    }
    expect(seen).toEqual(owners.toSorted());
  });

  it("T88 begins anywhere and comes around", async () => {
    for (const byte of [0, 0x40, 0x80, 0xff]) {
      await many(6, 1);
      expect(await pruneAudit({ ...deps, random: (length) => new Uint8Array(length).fill(byte) })).toBe(6);
    }
  });

  it("T88 one that cannot be shortened keeps no other, and is said", async () => {
    await many(3, 2);
    const logged: LogEvent[] = [];
    const faulty = faultyStores(stores, { "auditPrune.prune": ["before"] });
    const log = (event: LogEvent) => void logged.push(event);
    expect(await pruneAudit({ ...deps, stores: faulty.stores, log })).toBe(4);
    expect(logged).toMatchObject([{ event: "audit_prune_failed", error: "D1" }]);
    expect(await pruneAudit(deps)).toBe(2);
  });

  it("T88 after its time nothing more begins", async () => {
    await many(3, 2);
    let now = 0;
    const clock = () => (now += 25_000);
    expect(await pruneAudit({ ...deps, clock })).toBe(4);
  });
});
