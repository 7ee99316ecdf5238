import type { FaultCode } from "./fault.ts";

/** The deferred work that may fail after its request was answered. */
export type TaskName =
  | "commit_journal"
  | "refresh"
  | "revoke_grant"
  | "want_scope"
  | "copy_blob"
  | "delete_blob"
  | "touch_last_used"
  | "write_log_events"
  | "end_probe_session"
  | "block_address";

/** The jobs of the schedule. */
export type JobName = "adopt_journals" | "copy_blobs" | "delete_expired_flows" | "print_log_events";

/** Route templates: what a log may say about an address. A path never appears. */
export type RouteName = "mcp_url" | "mcp_header" | "api" | "page" | "scheduled";

/** What kind of error was thrown, by class. Messages are not logged: they may quote what was sent. */
export type ErrorKind =
  | "Fault"
  | "TypeError"
  | "RangeError"
  | "SyntaxError"
  | "DOMException"
  | "D1"
  | "VaultError"
  | "Error"
  | "other";

export type LogEvent =
  | { readonly event: "request_refused"; readonly route: RouteName; readonly fault: FaultCode }
  | { readonly event: "request_crashed"; readonly route: RouteName; readonly error: ErrorKind }
  | { readonly event: "misconfigured"; readonly variable: string }
  | { readonly event: "deferred_failed"; readonly task: TaskName; readonly error: ErrorKind }
  | { readonly event: "blob_missing"; readonly connection: string; readonly generation: number }
  | { readonly event: "grant_unreadable"; readonly connection: string; readonly error: ErrorKind }
  | {
      readonly event: "refreshed";
      readonly connection: string;
      readonly stored: "committed" | "journaled" | "nowhere";
    }
  | {
      readonly event: "refresh_failed";
      readonly connection: string;
      readonly reason: "permanent" | "refused" | "no_answer" | "answer_lost";
    }
  | {
      readonly event: "commit_failed" | "journal_failed" | "revocation_failed";
      readonly connection: string;
      readonly error: ErrorKind;
    }
  /** No address: neither it nor what it tried is written down. */
  | { readonly event: "address_blocked"; readonly strikes: number; readonly seconds: number }
  | { readonly event: "log_events_dropped"; readonly count: number }
  | { readonly event: "job_finished"; readonly job: JobName; readonly done: number; readonly ms: number }
  | { readonly event: "job_failed"; readonly job: JobName; readonly error: ErrorKind }
  | { readonly event: "unknown_cron" };

export type LogLevel = "info" | "warn" | "error";

const levels: Readonly<Record<LogEvent["event"], LogLevel>> = {
  request_refused: "info",
  request_crashed: "error",
  misconfigured: "error",
  deferred_failed: "warn",
  blob_missing: "warn",
  grant_unreadable: "error",
  refreshed: "info",
  refresh_failed: "warn",
  commit_failed: "error",
  journal_failed: "error",
  revocation_failed: "warn",
  address_blocked: "warn",
  log_events_dropped: "warn",
  job_finished: "info",
  job_failed: "error",
  unknown_cron: "error",
};

export type Log = (event: LogEvent) => void;

export function levelOf(event: LogEvent): LogLevel {
  return levels[event.event];
}

/**
 * Only plain names, identifiers and numbers pass. The types say so already; this is the second net, for a value
 * that reached a field through a cast or from a row that somebody edited.
 */
const printable = /^[A-Za-z0-9_.-]{1,64}$/;

/** One line of JSON: `{"level":…,"event":…,…}`. */
export function formatEvent(event: LogEvent): string {
  const safe = Object.entries(event).map(([name, value]) => [
    name,
    typeof value === "number" || printable.test(value) ? value : "[unprintable]",
  ]);
  return JSON.stringify({ level: levelOf(event), ...Object.fromEntries(safe) });
}

/** Writes to the platform's console: for invocations whose path holds no credential. */
export const consoleLog: Log = (event) => {
  console[levelOf(event)](formatEvent(event));
};

/** Prints lines that `formatEvent` made earlier and a store kept. */
export function printStoredLine(level: LogLevel, line: string): void {
  console[level](line);
}

export function errorKind(error: unknown): ErrorKind {
  if (!(error instanceof Error)) return "other";
  if (error.message.startsWith("D1_")) return "D1";
  switch (error.name) {
    case "Fault":
    case "TypeError":
    case "RangeError":
    case "SyntaxError":
    case "VaultError":
      return error.name;
    case "AbortError":
    case "TimeoutError":
    case "DataCloneError":
      return "DOMException";
    default:
      return "Error";
  }
}
