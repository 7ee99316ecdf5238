import { describe, expect, it } from "vitest";
import { describeDetail, describeEvent } from "../../src/dashboard/event-words.ts";
import type { AnomalyKind } from "../../src/lib/anomaly.ts";

const unusual: Readonly<Record<AnomalyKind, string>> = {
  many_calls: "Unusually many calls",
  many_renewals: "Unusually many renewals",
  many_refusals: "Most calls refused",
  after_silence: "Used after a long silence",
};

const event = {
  seq: 1,
  at: "2026-01-01T00:00:00.000Z",
  type: "anomaly",
  actor: "system",
  connection_id: "con_1",
  service: "linear",
  hash: "x",
};

describe("unusual use in the activity log", () => {
  it.each(Object.entries(unusual))("%s is said in words, with its numbers behind", (kind, words) => {
    const detail = { kind, calls: 900, busiest_day: 20 };
    expect(describeEvent({ ...event, detail })).toEqual({ words, tone: "bad" });
    expect(describeDetail({ ...event, detail }, new Map())).toBe("calls: 900 · busiest day: 20");
    expect(describeEvent({ ...event, detail: {} }).words).toBe("Unusual activity");
  });
});

describe("a changed setting in the activity log", () => {
  it.each([
    ["storage", "Storage changed"],
    ["kind", "Way of connecting changed"],
    ["authorization_server", "Sign-in server changed"],
    ["server_address", "Server address changed"],
    ["of a later release", "Configuration changed"],
  ])("%s is said in words, with what it was and is behind", (setting, words) => {
    const detail = { setting, from: "zero_knowledge", to: "managed" };
    const changed = { ...event, type: "configuration_changed", detail };
    expect(describeEvent(changed)).toEqual({ words, tone: "quiet" });
    expect(describeDetail(changed, new Map())).toBe("from: zero knowledge · to: managed");
  });
});
