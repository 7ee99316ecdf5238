import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { chainAudit } from "../../src/jobs/chain-audit.ts";
import { chainHash, type ChainedEvent } from "../../src/lib/audit-chain.ts";
import type { LogEvent } from "../../src/lib/log.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { createStores } from "../../src/store/index.ts";
import { countedEnv } from "../support/counting.ts";
import { createInstance } from "../support/instance.ts";
import { createOwner } from "../support/owner.ts";
import { faultyStores } from "../support/refresh/faulty.ts";

const stores = createStores(env.DB, env.BLOBS);
const deps = { stores, random: systemRandom, backgroundBudget: 6, log: () => undefined };
const zeros = (length: number) => new Uint8Array(length);
const event = { type: "refresh_succeeded", actor: "system" } as const;

async function chained(workspace: string): Promise<number> {
  const row = await env.DB.prepare("SELECT COUNT(*) AS count FROM audit_events WHERE workspace_id = ?1")
    .bind(workspace)
    .first<{ count: number }>();
  return row?.count ?? 0;
}

it("T88 the minute job gives queued events their places", async () => {
  const { workspace } = await createOwner();
  for (let at = 0; at < 3; at += 1) await stores.audit.enqueue(workspace, event);
  await createInstance().cron("* * * * *");
  expect(await chained(workspace)).toBe(3);
  expect(await stores.audit.waiting(10)).toEqual([]);
});

it("T88 more than one batch, of several workspaces, each in its order", async () => {
  const owners = [await createOwner(), await createOwner(), await createOwner()];
  for (let at = 0; at < 40; at += 1) {
    for (const { workspace } of owners) await stores.audit.enqueue(workspace, { ...event, detail: { at } });
  }
  expect(await chainAudit(deps)).toBe(120);
  for (const { workspace } of owners) {
    const { results } = await env.DB.prepare(
      "SELECT * FROM audit_events WHERE workspace_id = ?1 ORDER BY seq",
    )
      .bind(workspace)
      .all<ChainedEvent & { hash: string }>();
    let before = "";
    for (const [at, row] of results.entries()) {
      expect(row).toMatchObject({ seq: at + 1, detail: JSON.stringify({ at }) });
      expect(row.hash).toBe(await chainHash(before, row));
      before = row.hash;
    }
  }
});

it("a chain that cannot be continued keeps no other, and is tried again", async () => {
  const workspaces = [(await createOwner()).workspace, (await createOwner()).workspace].toSorted();
  for (const workspace of workspaces) await stores.audit.enqueue(workspace, event);
  const events: LogEvent[] = [];
  const faulty = faultyStores(stores, { "audit.chainOldest": ["before"], "audit.chain": ["before"] });
  const log = (entry: LogEvent) => void events.push(entry);
  expect(await chainAudit({ ...deps, stores: faulty.stores, random: zeros, log })).toBe(1);
  expect(events).toEqual([
    { event: "audit_chain_failed", workspace: "all", error: "D1" },
    { event: "audit_chain_failed", workspace: workspaces[0], error: "D1" },
  ]);
  expect(await chainAudit({ ...deps, log })).toBe(1);
  expect(await Promise.all(workspaces.map(chained))).toEqual([1, 1]);
});

it("killed after chaining, no event is chained twice", async () => {
  const { workspace } = await createOwner();
  await stores.audit.enqueue(workspace, event);
  const faulty = faultyStores(stores, { "audit.chainOldest": ["killed after"] });
  await Promise.race([chainAudit({ ...deps, stores: faulty.stores }), faulty.killed]);
  expect(await chainAudit(deps)).toBe(0);
  expect(await chained(workspace)).toBe(1);
});

it("a run of a small budget makes few queries, and leaves the rest to the next", async () => {
  const { workspace } = await createOwner();
  await env.DB.batch(Array.from({ length: 250 }, () => stores.audit.queued(workspace, event, false)));
  const ledger = countedEnv();
  const counted = createStores(ledger.env.DB, ledger.env.BLOBS);
  expect(await chainAudit({ ...deps, stores: counted, backgroundBudget: 3 })).toBe(100);
  expect(ledger.calls.length).toBeLessThanOrEqual(4);
  expect(await chainAudit({ ...deps, stores: counted, backgroundBudget: 50 })).toBe(150);
});

it("chains that cannot be continued are not all that is ever looked at", async () => {
  const workspaces: string[] = [];
  for (let at = 0; at < 5; at += 1) workspaces.push((await createOwner()).workspace);
  for (const workspace of workspaces) await stores.audit.enqueue(workspace, event);
  const ordered = workspaces.toSorted();
  const tried: string[] = [];
  const broken = {
    audit: {
      ...stores.audit,
      chainOldest: async () => await Promise.reject(new Error("D1_ERROR: the test wants it so")),
      chain: async (workspace: string) => {
        tried.push(workspace);
        return await Promise.resolve(0);
      },
    },
  };
  // From behind the third: the fourth and the fifth, and around to the first.
  const third = Uint8Array.from({ length: 16 }, (_, at) =>
    Number.parseInt((ordered[2] ?? "").slice(4 + 2 * at, 6 + 2 * at), 16),
  );
  await chainAudit({ ...deps, stores: broken, random: () => third, backgroundBudget: 3 });
  expect(tried).toEqual([ordered[3], ordered[4], ordered[0]]);
  tried.length = 0;
  await chainAudit({ ...deps, stores: broken, random: () => third, backgroundBudget: 10 });
  expect(tried.toSorted()).toEqual(ordered);
  await chainAudit(deps);
});
