import { day as dayLength } from "../lib/clock.ts";
import type { UsageDay } from "../store/usage.ts";

const nothing = { requests: 0, errors: 0, refreshes: 0, bytes: 0, duration_ms: 0 };

/** One entry for each of the last `days` days, oldest first, also for those without a call. */
export function activityDays(
  { today, used }: { readonly today: number; readonly used: readonly UsageDay[] },
  days: number,
) {
  const byDay = new Map(used.map(({ day, ...counts }) => [day, counts]));
  return Array.from({ length: days }, (_, at) => {
    const day = today - days + 1 + at;
    return {
      day: new Date(day * dayLength).toISOString().slice(0, 10),
      ...(byDay.get(day) ?? nothing),
    };
  });
}
