import { randomBytes } from "node:crypto";
import { z } from "zod";
import { applyMigrations } from "../lib/migrations.ts";
import { type Bench, startWorker } from "./rows.ts";

const counted = z.object({
  renewed: z.number(),
  runs: z.number(),
  statements: z.number(),
  rowsRead: z.number(),
  rowsWritten: z.number(),
});

/** What it took to renew every connection that was due, of `total` managed ones. */
export interface DueCost extends z.output<typeof counted> {
  readonly total: number;
  readonly ms: number;
}

/** Managed connections in D1: the same number is due of each. */
const totals = [1000, 100_000] as const;

/**
 * The refresh job at both sizes: if its queries are proportional to what is due, the figures are alike. The provider
 * answers at once, so the time is that of the job and of D1.
 */
export async function measureDue(bench: Bench, due: number): Promise<readonly DueCost[]> {
  const costs: DueCost[] = [];
  for (const total of totals) {
    const { miniflare, origin } = await startWorker(bench, "workers/due.ts", () => ({
      bindings: { MANAGED_ENCRYPTION_KEYS: JSON.stringify([{ key: randomBytes(32).toString("hex") }]) },
      d1Databases: ["DB"],
      kvNamespaces: ["BLOBS"],
    }));
    try {
      await applyMigrations(await miniflare.getD1Database("DB"));
      const seeded = await fetch(`${origin}/seed?total=${total}&due=${due}`, { method: "POST" });
      if (!seeded.ok) throw new Error(`the connections were not made: ${seeded.status}`);
      const start = performance.now();
      const answer = await fetch(`${origin}/run`, { method: "POST" });
      const ms = performance.now() - start;
      const cost = counted.parse(await answer.json());
      if (cost.renewed !== due)
        throw new Error(`${due} connections were due, and ${cost.renewed} were renewed`);
      costs.push({ total, ms, ...cost });
    } finally {
      await miniflare.dispose();
    }
  }
  return costs;
}
