import { describe, expect, it } from "vitest";
import { describeDetail, describeEvent } from "../../src/dashboard/event-words.ts";
import type { AnomalyKind } from "../../src/lib/anomaly.ts";

const unusual: Readonly<Record<AnomalyKind, string>> = {
  many_calls: "Unusually many calls",
  many_renewals: "Unusually many renewals",
  many_refusals: "Most calls refused",
  after_silence: "Used after a long silence",
};

describe("unusual use in the activity log", () => {
  it.each(Object.entries(unusual))("%s is said in words, with its numbers behind", (kind, words) => {
    const event = {
      seq: 1,
      at: "2026-01-01T00:00:00.000Z",
      type: "anomaly",
      actor: "system",
      connection_id: "con_1",
      service: "linear",
      detail: { kind, calls: 900, busiest_day: 20 },
      hash: "x",
    };
    expect(describeEvent(event)).toEqual({ words, tone: "bad" });
    expect(describeDetail(event, new Map())).toBe("calls: 900 · busiest day: 20");
    expect(describeEvent({ ...event, detail: {} }).words).toBe("Unusual activity");
  });
});
