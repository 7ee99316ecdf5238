import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { attemptBudget, commitBudget, journalBudget, leaseLength } from "../../src/grants/refresh-policy.ts";
import { createOauthHttp } from "../../src/oauth/http.ts";
import { OutboundError } from "../../src/lib/outbound.ts";
import { journalDelay, type NextGeneration } from "../../src/store/grant-row.ts";
import { createWorld, stores } from "../support/refresh/world.ts";

const { grants } = stores;
const facts = { access_expires_at: 1, refreshable: true, scope: null, due_at: null };

describe("T75 a lease outlives what is done under it", () => {
  it("T75 an exchange ends in time for the commit, the journal and KV's delay", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    try {
      const http = createOauthHttp(async (_, { deadline }) => {
        await new Promise<void>((resolve) => {
          deadline.controller.signal.addEventListener("abort", () => resolve(), { once: true });
        });
        throw new OutboundError("timeout");
      });
      const hanging = http.request("https://as.example/token", { method: "POST", headers: new Headers() });
      const ended = expect(hanging).rejects.toMatchObject({ reason: "timeout" });
      await vi.advanceTimersByTimeAsync(attemptBudget - commitBudget - journalBudget);
      await ended;
    } finally {
      vi.useRealTimers();
    }
    expect(leaseLength).toBeGreaterThan(attemptBudget);
    expect(journalDelay).toBeGreaterThanOrEqual(60_000);
  });

  it("T75 a request leaves only where the lease has that much left", async () => {
    const world = await createWorld();
    const lease = await grants.acquire(world.id, 1, leaseLength, null);
    if (lease === null) throw new Error("no lease");
    await world.age(leaseLength - attemptBudget);
    expect(await grants.intend(lease, attemptBudget)).toBe(false);
    expect(await world.row()).toMatchObject({ state: "leased", sent_at: 0 });
    await world.age(-5000);
    expect(await grants.intend(lease, attemptBudget)).toBe(true);
  });

  it("T75 the isolate's clock decides nothing about the lease", async () => {
    for (const skew of [-86_400_000, 86_400_000]) {
      const world = await createWorld();
      expect(await grants.acquire(world.id, 1, leaseLength, null)).not.toBeNull();
      expect(await world.actor({}, () => Date.now() + skew).refresh()).toEqual({ kind: "busy" });
      expect(world.provider.presented).toEqual([]);
    }
  });
});

describe("T75 the holder of a lease that was taken over", () => {
  it("T75 writes nothing, whatever it tries", async () => {
    const world = await createWorld();
    const old = await grants.acquire(world.id, 1, leaseLength, null);
    if (old === null) throw new Error("no lease");
    await world.age(leaseLength + 1000);
    const taken = await grants.acquire(world.id, 1, leaseLength, null);
    expect(taken).toMatchObject({ fence: old.fence + 1 });
    if (taken === null) throw new Error("no second lease");
    const attempts = async (): Promise<void> => {
      const { lookup, verifier } = await world.row();
      const next: NextGeneration = {
        blob: "x",
        lookup,
        verifier,
        storage: "zero_knowledge",
        data_key_id: null,
        kind: "oauth",
        upstream_url: "https://elsewhere.example",
        issuer: null,
        facts,
      };
      const entry = { type: "connection_reauthorized", actor: "owner", connection: world.id } as const;
      const replaced = { workspaceId: world.user.workspace_id, entry };
      const before = await world.row();
      expect(await grants.intend(old, 0)).toBe(false);
      expect(await grants.commit(old, "x", facts, "request")).toBe(false);
      expect(await grants.replace(old, next, true, replaced)).toBeNull();
      expect(await grants.markReauth(old, "permanent", "request")).toBe(false);
      await grants.release(old);
      await grants.postpone(old, 1000, { repeated: false, told: false }, "request");
      await grants.unanswered(old, { delay: 1000, again: 1000 }, false, "request");
      expect({ ...(await world.row()), now: 0 }).toEqual({ ...before, now: 0 });
    };
    await attempts();
    expect(await grants.intend(taken, attemptBudget)).toBe(true);
    await attempts();
    expect(await grants.commit(taken, "new", facts, "request")).toBe(true);
    await attempts();
    expect(await world.row()).toMatchObject({ gen: 2, blob: "new", blob_fence: taken.fence });
  });

  it("T70 of many that try, one gets the lease", async () => {
    const world = await createWorld();
    const leases = await Promise.all(
      Array.from({ length: 20 }, async () => await grants.acquire(world.id, 1, leaseLength, null)),
    );
    expect(leases.filter((lease) => lease !== null)).toHaveLength(1);
  });

  it("T72 a request without a known end is taken over only by who looked at it, and not before its time", async () => {
    const world = await createWorld();
    const sent = await grants.acquire(world.id, 1, leaseLength, null);
    if (sent === null) throw new Error("no lease");
    expect(await grants.intend(sent, attemptBudget)).toBe(true);
    await world.age(leaseLength + journalDelay - 30_000);
    expect(await grants.acquire(world.id, 1, leaseLength, sent.fence)).toBeNull();
    await world.age(31_000);
    expect(await grants.acquire(world.id, 1, leaseLength, null)).toBeNull();
    expect(await grants.acquire(world.id, 1, leaseLength, sent.fence - 1)).toBeNull();
    expect(await grants.acquire(world.id, 2, leaseLength, sent.fence)).toBeNull();
    expect(await grants.acquire(world.id, 1, leaseLength, sent.fence)).toMatchObject({
      fence: sent.fence + 1,
    });
  });

  it("T76 none is given on a disconnected connection, and nothing becomes its next generation", async () => {
    const world = await createWorld();
    const lease = await grants.acquire(world.id, 1, leaseLength, null);
    if (lease === null) throw new Error("no lease");
    expect(await grants.intend(lease, attemptBudget)).toBe(true);
    await world.set("status = 'disconnected', disconnected_at = 1");
    expect(await grants.commit(lease, "x", facts, "request")).toBe(false);
    expect(await grants.adopt(lease, lease.fence, "x", facts, "request")).toBe(false);
    await world.age(200_000);
    expect(await grants.acquire(world.id, 1, leaseLength, lease.fence)).toBeNull();
    expect((await world.row()).gen).toBe(1);
  });

  it("a blob that was replaced is deleted an hour later, and none before it was", async () => {
    const world = await createWorld();
    await world.actor().refresh();

    const { results } = await env.DB.prepare(
      "SELECT name, delete_after - CAST(unixepoch('subsec') * 1000 AS INTEGER) AS left FROM superseded_blobs WHERE name LIKE ?1",
    )
      .bind(`t/${world.id}/%`)
      .all<{ name: string; left: number }>();
    expect(results.map(({ name }) => name)).toEqual([`t/${world.id}/1/0`]);
    expect(results[0]?.left).toBeGreaterThan(3_500_000);
  });
});
