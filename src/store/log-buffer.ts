import type { Clock } from "../lib/clock.ts";
import { formatEvent, levelOf, type Log } from "../lib/log.ts";
import type { LogEvents } from "./log-events.ts";

/** Lines that one isolate stores per minute: a flood of faults must not become a flood of writes. */
const linesPerMinute = 60;

let window = { startedAt: 0, stored: 0, dropped: 0 };

/**
 * The log of an invocation that may not use the console. Warnings and errors become rows, which the minute job
 * prints; what is routine (a refused guess) is dropped, so that nobody can make us write.
 */
export function bufferLog(
  store: Pick<LogEvents, "insert">,
  clock: Clock,
  waitUntil: (work: Promise<unknown>) => void,
): Log {
  return (event) => {
    const level = levelOf(event);
    if (level === "info") return;
    const now = clock();
    const lines = [{ level, line: formatEvent(event) }];
    if (now - window.startedAt >= 60_000) {
      if (window.dropped > 0) {
        lines.push({
          level: "warn",
          line: formatEvent({ event: "log_events_dropped", count: window.dropped }),
        });
      }
      window = { startedAt: now, stored: 0, dropped: 0 };
    }
    if (window.stored >= linesPerMinute) {
      window.dropped += 1;
      return;
    }
    window.stored += lines.length;
    // A line that cannot be stored has nowhere else to go: the console would show the URL.
    waitUntil(Promise.allSettled([store.insert(lines, now)]));
  };
}
