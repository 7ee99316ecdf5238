import { describe, expect, it } from "vitest";
import { parseCron } from "../../scripts/start/cron.ts";

const at = (text: string) => new Date(`${text}Z`);

describe("cron patterns", () => {
  // 2026-11-22 is a Sunday.
  it.each([
    ["* * * * *", "2026-11-22T10:07:00", true],
    ["*/5 * * * *", "2026-11-22T10:05:00", true],
    ["*/5 * * * *", "2026-11-22T10:06:00", false],
    ["3-10/3 * * * *", "2026-11-22T10:09:00", true],
    ["3-10/3 * * * *", "2026-11-22T10:10:00", false],
    ["0 4 * * *", "2026-11-22T04:00:00", true],
    ["0 4 * * *", "2026-11-22T05:00:00", false],
    ["0,30 4 * * *", "2026-11-22T04:30:00", true],
    ["0 0 1 * *", "2026-11-01T00:00:00", true],
    ["0 0 1 * *", "2026-11-22T00:00:00", false],
    ["0 0 * NOV *", "2026-11-22T00:00:00", true],
    ["0 0 * DEC *", "2026-11-22T00:00:00", false],
    ["0 0 * * SUN", "2026-11-22T00:00:00", true],
    ["0 0 * * 1", "2026-11-22T00:00:00", true],
    ["0 0 * * MON-FRI", "2026-11-22T00:00:00", false],
    ["0 0 1 * SUN", "2026-11-22T00:00:00", true],
  ])("%s at %s: %s", (pattern, time, due) => {
    expect(parseCron(pattern)(at(time))).toBe(due);
  });

  it.each(["* * * *", "60 * * * *", "* 5-3 * * *", "*/0 * * * *", "0 0 L * *"])("refuses %s", (pattern) => {
    expect(() => parseCron(pattern)).toThrow();
  });
});
