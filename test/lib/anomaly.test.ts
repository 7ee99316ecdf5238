import { describe, expect, it } from "vitest";
import { anomaliesOf, type DayOfUse } from "../../src/lib/anomaly.ts";

const usual: DayOfUse = {
  requests: 40,
  errors: 1,
  refreshes: 3,
  age: 30,
  busiest_requests: 60,
  busiest_refreshes: 4,
  refused_before: 0,
  explained: 0,
  silent_before: 0,
};
const kinds = (changes: Partial<DayOfUse>) => anomaliesOf({ ...usual, ...changes }).map(({ kind }) => kind);

describe("what is unusual about a day of a connection", () => {
  it("nothing about an ordinary one", () => {
    expect(kinds({})).toEqual([]);
    expect(kinds({ requests: 0, errors: 0, refreshes: 24, busiest_refreshes: 0 })).toEqual([]);
  });

  it.each<[string, Partial<DayOfUse>, Partial<DayOfUse>]>([
    ["many_calls", { requests: 601 }, { requests: 600 }],
    ["many_calls", { requests: 500, busiest_requests: 0 }, { requests: 499, busiest_requests: 0 }],
    ["many_calls", { requests: 900, age: 7 }, { requests: 900, age: 6 }],
    ["many_renewals", { refreshes: 50 }, { refreshes: 49 }],
    ["many_renewals", { refreshes: 121, busiest_refreshes: 24 }, { refreshes: 120, busiest_refreshes: 24 }],
    ["many_renewals", { refreshes: 60, age: 7 }, { refreshes: 60, age: 6 }],
    ["many_refusals", { requests: 61, errors: 50 }, { requests: 61, errors: 49 }],
    ["many_refusals", { requests: 99, errors: 80 }, { requests: 100, errors: 80 }],
    ["many_refusals", { requests: 60, errors: 60 }, { requests: 60, errors: 60, refused_before: 1 }],
    ["many_refusals", { requests: 60, errors: 60, age: 0 }, { requests: 60, errors: 60, explained: 1 }],
    ["after_silence", { silent_before: 1, age: 90 }, { silent_before: 1, age: 89 }],
    ["after_silence", { silent_before: 1, age: 90 }, { silent_before: 1, age: 90, requests: 0, errors: 0 }],
  ])("%s: %j, and not %j", (kind, unusual, ordinary) => {
    expect(kinds(unusual)).toEqual([kind]);
    expect(kinds(ordinary)).toEqual([]);
  });

  it("each with the numbers that it was found by, several of one day together", () => {
    const day = {
      ...usual,
      requests: 700,
      errors: 650,
      refreshes: 90,
      busiest_requests: 0,
      silent_before: 1,
      age: 400,
    };
    expect(anomaliesOf(day)).toEqual([
      { kind: "after_silence", numbers: { days: 90 } },
      { kind: "many_calls", numbers: { calls: 700, busiest_day: 0 } },
      { kind: "many_renewals", numbers: { renewals: 90, busiest_day: 4 } },
      { kind: "many_refusals", numbers: { refusals: 650, calls: 700 } },
    ]);
  });
});
