import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { chainHash } from "../../src/lib/audit-chain.ts";
import { createAudit } from "../../src/store/audit.ts";
import { interleaved } from "../support/interleaved.ts";

const audit = createAudit(env.DB, 30);
const workspace = "wsp_audit";

interface Row {
  workspace_id: string;
  seq: number;
  at: number;
  type: string;
  actor: string;
  connection_id: string | null;
  service: string | null;
  detail: string;
  hash: string;
}

async function rows(): Promise<readonly Row[]> {
  const { results } = await env.DB.prepare("SELECT * FROM audit_events ORDER BY seq").all<Row>();
  return results;
}

const chainAll = {
  chain: async (of: typeof audit) => await of.chain(workspace, 50),
  chainOldest: async (of: typeof audit) => await of.chainOldest(50),
} as const;

beforeEach(async () => {
  await env.DB.batch([
    env.DB.prepare("INSERT OR IGNORE INTO workspaces (id, created_at) VALUES (?1, 0)").bind(workspace),
    env.DB.prepare("UPDATE workspaces SET erasing_at = 1"),
    env.DB.prepare("DELETE FROM audit_events"),
    env.DB.prepare("UPDATE workspaces SET erasing_at = NULL"),
  ]);
});

describe("the audit log", () => {
  it("T88 chains each event to the one before, also when many writers meet", async () => {
    await Promise.all(
      Array.from({ length: 6 }, () => audit.record(workspace, { type: "login", actor: "owner" }, [])),
    );
    const all = await rows();
    expect(all.map((row) => row.seq)).toEqual([1, 2, 3, 4, 5, 6]);
    let before = "";
    for (const row of all) {
      expect(row.hash).toBe(await chainHash(before, row));
      before = row.hash;
    }
  });

  it("T88 an operation that changes nothing leaves no event", async () => {
    const nothing = env.DB.prepare("UPDATE workspaces SET audit_days = 1 WHERE id = 'wsp_nobody'");
    await audit.record(workspace, { type: "plan_changed", actor: "system" }, [nothing]);
    expect(await rows()).toHaveLength(0);
  });

  it("T88 an operation whose event cannot be written does not happen", async () => {
    const change = env.DB.prepare("UPDATE workspaces SET audit_days = 77 WHERE id = ?1").bind(workspace);
    const elsewhere = audit.record("wsp_unknown", { type: "plan_changed", actor: "owner" }, [change]);
    await expect(elsewhere).rejects.toThrow(/FOREIGN KEY/);
    const row = await env.DB.prepare("SELECT audit_days FROM workspaces WHERE id = ?1")
      .bind(workspace)
      .first<{ audit_days: number | null }>();
    expect(row?.audit_days).toBeNull();
  });

  it("T88 the database refuses to change an event, or to delete one before its time", async () => {
    await audit.record(workspace, { type: "login", actor: "owner" }, []);
    await expect(env.DB.prepare("UPDATE audit_events SET type = 'x'").run()).rejects.toThrow(/append-only/);
    await expect(env.DB.prepare("DELETE FROM audit_events").run()).rejects.toThrow(/kept for their time/);
  });

  it("chains queued events in their order, once", async () => {
    for (const connection of ["con_1", "con_2", "con_3"]) {
      await audit.enqueue(workspace, { type: "refresh_succeeded", actor: "system", connection });
    }
    expect(await audit.waiting(10)).toEqual([workspace]);
    const chained = await Promise.all([audit.chain(workspace, 50), audit.chain(workspace, 50)]);
    expect(Math.max(...chained)).toBe(3);
    expect((await rows()).map((row) => row.connection_id)).toEqual(["con_1", "con_2", "con_3"]);
    expect(await audit.waiting(10)).toEqual([]);
  });

  for (const how of ["chain", "chainOldest"] as const) {
    it(`T88 two runs of ${how} in any order of their steps chain each event once`, async () => {
      for (const turn of [1, 2, 3]) {
        await audit.enqueue(workspace, { type: "login", actor: "owner", connection: `con_${turn}a` });
        await audit.enqueue(workspace, { type: "login", actor: "owner", connection: `con_${turn}b` });
        const late = createAudit(
          interleaved(env.DB, turn, async () => await chainAll[how](audit)),
          30,
        );
        await chainAll[how](late);
        expect(await audit.waiting(10)).toEqual([]);
      }
      const all = await rows();
      expect(all.map((row) => row.connection_id)).toEqual(
        [1, 2, 3].flatMap((turn) => [`con_${turn}a`, `con_${turn}b`]),
      );
      let before = "";
      for (const row of all) {
        expect(row.hash).toBe(await chainHash(before, row));
        before = row.hash;
      }
    });
  }

  it("T88 what is stored is what was hashed, byte for byte", async () => {
    const label = "\u00e9\u{1F511} \"'\\ \u0000 \u2028";
    const detail = { label, at: 9_007_199_254_740_991 };
    await audit.record(workspace, { type: "login", actor: "owner", detail }, []);
    await audit.enqueue(workspace, { type: "login", actor: "owner", detail });
    await audit.chain(workspace, 1);
    const all = await rows();
    expect(all.map((row) => row.detail)).toEqual([JSON.stringify(detail), JSON.stringify(detail)]);
    for (const [at, row] of all.entries()) {
      expect(row.hash).toBe(await chainHash(all[at - 1]?.hash ?? "", row));
    }
  });
});

it("T88 thirty writers of one workspace meet: each has its place", async () => {
  await Promise.all(
    Array.from({ length: 30 }, () => audit.record(workspace, { type: "login", actor: "owner" }, [])),
  );
  expect((await rows()).map((row) => row.seq)).toEqual(Array.from({ length: 30 }, (_, at) => at + 1));
});
