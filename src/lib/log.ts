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
  | "touch_token"
  | "note_signal"
  | "note_request"
  | "write_usage"
  | "write_log_events"
  | "end_probe_session"
  | "block_address"
  | "settle_plan";

/** The jobs of the schedule. */
export type JobName =
  | "adopt_journals"
  | "chain_audit"
  | "check_fingerprints"
  | "continue_erasures"
  | "copy_blobs"
  | "delete_expired_flows"
  | "deliver_mail"
  | "find_anomalies"
  | "forget_old"
  | "print_log_events"
  | "prune_audit"
  | "purge_connections"
  | "purge_mail"
  | "purge_superseded"
  | "refresh_due"
  | "remind_age"
  | "remind_reauth"
  | "retry_revocations"
  | "rotate"
  | "settle_plans"
  | "sweep_erased";

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
  | {
      /** What the background did for managed connections in one run. */
      readonly event: "background_done";
      readonly renewed: number;
      readonly works: number;
      readonly refused: number;
      readonly later: number;
      readonly reauthorize: number;
      readonly unreadable: number;
    }
  | { readonly event: "keys_not_loaded"; readonly connections: number }
  | { readonly event: "background_failed"; readonly connection: string; readonly error: ErrorKind }
  /** No address: neither it nor what it tried is written down. */
  | { readonly event: "address_blocked"; readonly strikes: number; readonly seconds: number }
  | { readonly event: "log_events_dropped"; readonly count: number }
  | { readonly event: "job_finished"; readonly job: JobName; readonly done: number; readonly ms: number }
  | { readonly event: "job_failed"; readonly job: JobName; readonly error: ErrorKind }
  | {
      readonly event: "mail_failed";
      /** The kind of mail. */
      readonly mail: string;
      readonly reason: "refused" | "account" | "no_answer" | "no_address" | "given_up";
      /** Of an exception; `reason` is then `no_answer` or `given_up`. */
      readonly error?: ErrorKind;
    }
  | { readonly event: "purge_failed"; readonly connection: string; readonly error: ErrorKind }
  | { readonly event: "audit_chain_failed"; readonly workspace: string; readonly error: ErrorKind }
  | { readonly event: "audit_prune_failed"; readonly workspace: string; readonly error: ErrorKind }
  | {
      readonly event: "master_key_orphaned";
      readonly fingerprint: string;
      /** What only this key opens. */
      readonly data_keys: number;
      readonly client_registrations: number;
    }
  | { readonly event: "master_key_found"; readonly fingerprint: string }
  | {
      readonly event: "rotation_advanced";
      readonly fingerprint: string;
      readonly milestone: "rewrapped" | "settled" | "finished";
    }
  | { readonly event: "rotation_unreadable"; readonly fingerprint: string; readonly count: number }
  | { readonly event: "billing_failed"; readonly error: ErrorKind }
  | {
      /** A message to the operator became no ticket; with `unknown` perhaps it did. */
      readonly event: "support_failed";
      readonly reason: "sign_in" | "refused" | "no_answer" | "unknown";
    }
  | { readonly event: "unknown_cron" }
  /** The bare fact: whose account it was is not said. */
  | { readonly event: "account_erased" }
  | {
      readonly event: "erasure_failed";
      readonly error: ErrorKind;
      /** Of a fault; `billing_not_configured`: a customer is left, and the settings that reach it are gone. */
      readonly fault?: FaultCode;
    }
  /** The identity provider has not deleted somebody who asked for it; its operator has to look. */
  | { readonly event: "identity_not_deleted"; readonly given_up: boolean };

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
  background_done: "info",
  keys_not_loaded: "error",
  background_failed: "error",
  address_blocked: "warn",
  log_events_dropped: "warn",
  job_finished: "info",
  job_failed: "error",
  mail_failed: "warn",
  purge_failed: "error",
  audit_chain_failed: "error",
  audit_prune_failed: "error",
  master_key_orphaned: "error",
  master_key_found: "info",
  rotation_advanced: "info",
  rotation_unreadable: "error",
  unknown_cron: "error",
  account_erased: "info",
  erasure_failed: "warn",
  identity_not_deleted: "error",
  billing_failed: "warn",
  support_failed: "warn",
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
