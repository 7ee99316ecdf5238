import type { LocalWorker } from "../lib/local-worker.ts";

/**
 * Fires every cron pattern of the configuration when it is due, as the platform does (workerd does not by itself).
 * Answers a function that ends it and waits for what still runs.
 */
export function startCron(
  worker: LocalWorker,
  onFailure: (cron: string, outcome: string) => void,
): () => Promise<void> {
  const schedule = worker.crons.map((cron) => ({ cron, isDue: parseCron(cron) }));
  const running = new Set<Promise<void>>();

  const fire = async (cron: string, time: Date) => {
    try {
      const outcome = await worker.runCron(cron, time);
      if (outcome !== "ok") onFailure(cron, outcome);
    } catch (error) {
      onFailure(cron, error instanceof Error ? error.message : String(error));
    }
  };
  const minute = () => {
    const now = new Date();
    now.setUTCSeconds(0, 0);
    for (const { cron } of schedule.filter(({ isDue }) => isDue(now))) {
      const run = fire(cron, now).finally(() => running.delete(run));
      running.add(run);
    }
    timer = setTimeout(minute, untilNextMinute());
  };
  let timer = setTimeout(minute, untilNextMinute());

  return async () => {
    clearTimeout(timer);
    await Promise.all(running);
  };
}

/** A little after the minute: a timer that fires early would run the same minute twice. */
function untilNextMinute(): number {
  return 60_000 - (Date.now() % 60_000) + 20;
}

const months = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const days = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/**
 * A predicate over minutes (UTC) for a pattern of five fields with `*`, lists, ranges, steps and names. Cloudflare
 * counts the days of the week from 1 (Sunday) to 7, not from 0:
 * https://developers.cloudflare.com/workers/configuration/cron-triggers/
 */
export function parseCron(pattern: string): (time: Date) => boolean {
  const fields = pattern.trim().split(/\s+/);
  const [minute = "", hour = "", dayOfMonth = "", month = "", dayOfWeek = ""] = fields;
  if (fields.length !== 5) throw new Error(`The cron pattern "${pattern}" does not have five fields.`);
  const isMinute = parseField(minute, 0, 59);
  const isHour = parseField(hour, 0, 23);
  const isDay = parseField(dayOfMonth, 1, 31);
  const isMonth = parseField(named(month, months), 1, 12);
  const isWeekday = parseField(named(dayOfWeek, days), 1, 7);
  // As in cron(5): where both kinds of day are restricted, either will do.
  const either = !dayOfMonth.startsWith("*") && !dayOfWeek.startsWith("*");
  return (time) => {
    const onDay = isDay(time.getUTCDate());
    const onWeekday = isWeekday(time.getUTCDay() + 1);
    return (
      isMinute(time.getUTCMinutes()) &&
      isHour(time.getUTCHours()) &&
      isMonth(time.getUTCMonth() + 1) &&
      (either ? onDay || onWeekday : onDay && onWeekday)
    );
  };
}

function named(field: string, names: readonly string[]): string {
  return field.replace(/[A-Za-z]{3}/g, (name) => {
    const index = names.indexOf(name.toUpperCase());
    return index === -1 ? name : String(index + 1);
  });
}

function parseField(field: string, first: number, last: number): (value: number) => boolean {
  const parts = field.split(",").map((part) => {
    const match = /^(?:\*|(\d+)(?:-(\d+))?)(?:\/(\d+))?$/.exec(part);
    const [, from, to, step] = match ?? [];
    const start = from === undefined ? first : Number(from);
    const end = to === undefined ? (from === undefined || step !== undefined ? last : start) : Number(to);
    const every = step === undefined ? 1 : Number(step);
    if (match === null || start < first || end > last || start > end || every < 1) {
      throw new Error(`"${field}" is not a cron field that is supported here.`);
    }
    return { start, end, every };
  });
  return (value) =>
    parts.some(({ start, end, every }) => value >= start && value <= end && (value - start) % every === 0);
}
