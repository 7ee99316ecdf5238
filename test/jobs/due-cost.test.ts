import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { refreshDue } from "../../src/jobs/refresh-due.ts";
import { createDue, type DueCursor } from "../../src/store/due.ts";
import { createStores } from "../../src/store/index.ts";
import { metered } from "../support/metered.ts";
import { createWorld } from "../support/refresh/world.ts";

const due = 500;

/** Managed connections `from` … `to` in one statement. The first 500 of all are due. */
async function seed(from: number, to: number): Promise<void> {
  await env.DB.batch([
    env.DB.prepare("INSERT INTO workspaces (id, created_at) VALUES ('wsp_many', 0) ON CONFLICT DO NOTHING"),
    env.DB.prepare(
      "INSERT INTO data_keys (id, owner, created_at) VALUES ('00000000000000aa', 'wsp_many', 0) ON CONFLICT DO NOTHING",
    ),
    env.DB.prepare(
      `INSERT INTO data_key_wrappings (data_key_id, fingerprint, wrapped, created_at)
       VALUES ('00000000000000aa', 'f1', 'x', 0) ON CONFLICT DO NOTHING`,
    ),
    env.DB.prepare(
      `WITH RECURSIVE n(i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
       INSERT INTO connections (id, workspace_id, service, label, kind, storage, upstream_url, status, lookup, verifier,
         data_key_id, issuer, access_expires_at, refreshable, due_at, created_at, authorized_at)
       SELECT 'con_' || printf('%032x', i), 'wsp_many', 'custom', 'x', 'oauth', 'managed', 'https://mcp.example',
         'active', printf('%043x', i), 'x', '00000000000000aa', 'https://as.example', 1, 1,
         CASE WHEN i <= ${due} THEN 1000000 + i ELSE unixepoch() * 1000 + 3600000 + i END, 0, 0 FROM n`,
    ).bind(from, to),
  ]);
}

/** Reads every due row, page by page. */
async function readAll(
  fingerprints: readonly string[],
): Promise<{ rows: number; read: number; sql: string }> {
  const meter = metered(env.DB);
  const store = createDue(meter.db);
  let [rows, cursor]: [number, DueCursor | null] = [0, null];
  for (;;) {
    const page = await store.page(cursor, 100, fingerprints);
    rows += page.length;
    cursor = page.at(-1) ?? null;
    if (cursor === null) break;
  }
  return { rows, read: meter.rowsRead, sql: [...meter.statements].join() };
}

describe("of 100,000 managed connections, 500 are due", () => {
  it("costs the job what the 500 cost, and not what there are", async () => {
    await seed(1, 1000);
    const small = await readAll(["f1", "f2"]);
    await seed(1001, 100_000);
    const large = await readAll(["f1", "f2"]);
    expect(await env.DB.prepare("SELECT COUNT(*) AS n FROM connections").first("n")).toBe(100_000);
    expect([small.rows, large.rows]).toEqual([due, due]);
    // The index, the row, and the wrapping of its data key.
    expect(large.read).toBeLessThan(due * 5);
    expect(Math.abs(large.read - small.read)).toBeLessThan(due * 0.05);

    const parameters = ["0", "", "100", "f1", "f2"];
    const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${large.sql}`)
      .bind(...parameters)
      .all<{ detail: string }>();
    const plan = results.map(({ detail }) => detail);
    expect(plan[0]).toMatch(/^SEARCH connections USING INDEX connections_due \(.*due_at/);
    expect(plan.filter((step) => /SCAN|TEMP B-TREE/.test(step))).toEqual([]);
  });

  it("one renewal among them, with its page, its lease, its commit and its event, reads a few hundred rows", async () => {
    const world = await createWorld({ storage: "managed" });
    await world.set("due_at = 1");
    const meter = metered(env.DB);
    const { deps } = world.actor();
    const done = await refreshDue({
      ...deps,
      stores: createStores(meter.db, env.BLOBS),
      outbound: world.provider.outbound,
      site: { brand: "Bindify" },
      backgroundBudget: 1,
    });
    expect(done).toBe(1);
    expect(await world.row()).toMatchObject({ gen: 2, state: "live" });
    expect(meter.rowsRead).toBeGreaterThan(100);
    expect(meter.rowsRead).toBeLessThan(700);
  });

  it("those whose key is not loaded are put off by the page, in one statement", async () => {
    const world = await createWorld({ storage: "managed" });
    await world.set("due_at = NULL");
    const meter = metered(env.DB);
    const { deps } = world.actor();
    const done = await refreshDue({
      ...deps,
      stores: createStores(meter.db, env.BLOBS),
      outbound: world.provider.outbound,
      site: { brand: "Bindify" },
      backgroundBudget: 3,
    });
    expect(done).toBe(0);
    expect((await readAll([])).rows).toBe(0);
    expect(meter.rowsRead).toBeLessThan(due * 10);
  });
});
