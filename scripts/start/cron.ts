import { Problem } from "../lib/command.ts";
import type { LocalWorker } from "../lib/local-worker.ts";
import { createGate } from "./gate.ts";

export interface Cron {
  /** Fires a pattern now; throws a sentence where the configuration has no such pattern, or it fails. */
  run(cron: string): Promise<void>;
  /** Fires nothing while `work` runs, and begins it when nothing is running: a job that is cut off may lose a grant. */
  pausedFor<T>(work: () => Promise<T>): Promise<T>;
  /** Ends it, and waits for what still runs. */
  stop(): Promise<void>;
}

/** Fires every cron pattern of the configuration when it is due, as the platform does (workerd does not by itself). */
export function startCron(worker: LocalWorker, onFailure: (cron: string, outcome: string) => void): Cron {
  const schedule = worker.crons.map((cron) => ({ cron, isDue: parseCron(cron) }));
  const running = new Set<Promise<void>>();
  const gate = createGate();

  const start = (cron: string, time: Date): Promise<void> => {
    const once = async () => {
      await gate.opened();
      const outcome = await worker.runCron(cron, time);
      if (outcome !== "ok") throw new Problem(`cron "${cron}" ended with: ${outcome}`);
    };
    const run = once();
    const settled: Promise<void> = run
      .then(undefined, (error: unknown) =>
        onFailure(cron, error instanceof Error ? error.message : String(error)),
      )
      .finally(() => running.delete(settled));
    running.add(settled);
    return run;
  };
  const minute = () => {
    const now = thisMinute();
    for (const { cron, isDue } of schedule) if (isDue(now)) void start(cron, now);
    timer = setTimeout(minute, untilNextMinute());
  };
  let timer = setTimeout(minute, untilNextMinute());

  return {
    async run(cron) {
      if (!worker.crons.includes(cron)) throw new Problem(`There is no cron trigger "${cron}".`);
      await start(cron, thisMinute());
    },
    async pausedFor(work) {
      const before = [...running];
      return await gate.closedFor(async () => {
        await Promise.all(before);
        return await work();
      });
    },
    async stop() {
      clearTimeout(timer);
      await Promise.all(running);
    },
  };
}

function thisMinute(): Date {
  const now = new Date();
  now.setUTCSeconds(0, 0);
  return now;
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
