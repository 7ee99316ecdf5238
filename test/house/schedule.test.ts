import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { z } from "zod";

// Imported by address: its types are the worker's, not Node's.
const loaded: unknown = await import(new URL("../../src/jobs/schedule.ts", import.meta.url).href);
const { schedule } = z.object({ schedule: z.record(z.string(), z.array(z.unknown())) }).parse(loaded);

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const crons = (toml: string): unknown => JSON.parse(/^crons = (\[.*\])$/m.exec(toml)?.[1] ?? "null");

describe("the schedule", () => {
  it("has a job for each trigger of wrangler.toml.example, and no other pattern", () => {
    expect(crons(read("wrangler.toml.example"))).toEqual(Object.keys(schedule));
    for (const jobs of Object.values(schedule)) expect(jobs.length).toBeGreaterThan(0);
  });

  it("logs are kept from showing URLs in the shipped configuration (T93)", () => {
    const toml = read("wrangler.toml.example");
    expect(toml).toMatch(/^\[observability\.logs\]\nenabled = true\ninvocation_logs = false$/m);
    expect(toml).toMatch(/^\[observability\.traces\]\nenabled = false$/m);
    expect(toml).toMatch(/^redact_query_string = true$/m);
    expect(toml).not.toMatch(/logpush|tail_consumers/);
  });
});
