import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { chainAudit } from "../../src/jobs/chain-audit.ts";
import { chainHash, type ChainedEvent } from "../../src/lib/audit-chain.ts";
import type { LogEvent } from "../../src/lib/log.ts";
import { createStores } from "../../src/store/index.ts";
import { createInstance } from "../support/instance.ts";
import { createOwner } from "../support/owner.ts";
import { faultyStores } from "../support/refresh/faulty.ts";

const stores = createStores(env.DB, env.BLOBS);
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
  expect(await chainAudit({ stores, log: () => undefined })).toBe(120);
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
  expect(await chainAudit({ stores: faulty.stores, log })).toBe(1);
  expect(events).toEqual([
    { event: "audit_chain_failed", workspace: "all", error: "D1" },
    { event: "audit_chain_failed", workspace: workspaces[0], error: "D1" },
  ]);
  expect(await chainAudit({ stores, log })).toBe(1);
  expect(await Promise.all(workspaces.map(chained))).toEqual([1, 1]);
});

it("killed after chaining, no event is chained twice", async () => {
  const { workspace } = await createOwner();
  await stores.audit.enqueue(workspace, event);
  const faulty = faultyStores(stores, { "audit.chainOldest": ["killed after"] });
  await Promise.race([chainAudit({ stores: faulty.stores, log: () => undefined }), faulty.killed]);
  expect(await chainAudit({ stores, log: () => undefined })).toBe(0);
  expect(await chained(workspace)).toBe(1);
});
