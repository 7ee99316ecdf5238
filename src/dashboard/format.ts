/** Words for people: times, states, storage modes. */
import type { Connection, Service } from "./schemas.ts";

const steps: ReadonlyArray<[Intl.RelativeTimeFormatUnit, number]> = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

export function timeAgo(iso: string, now = Date.now()): string {
  const seconds = Math.round((Date.parse(iso) - now) / 1000);
  const step = steps.find(([, length]) => Math.abs(seconds) >= length);
  if (step === undefined) return "just now";
  const [unit, length] = step;
  return new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(Math.trunc(seconds / length), unit);
}

export const dateWords = (iso: string): string =>
  new Intl.DateTimeFormat("en", { dateStyle: "medium" }).format(new Date(iso));

export function fullTime(iso: string): string {
  return new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso));
}

export type Tone = "good" | "quiet" | "warn" | "bad";

interface State {
  words: string;
  tone: Tone;
}

const states: Record<string, State> = {
  working: { words: "Working", tone: "good" },
  expires_soon: { words: "Expires soon", tone: "warn" },
  refused: { words: "Refused there", tone: "bad" },
  provider_unreachable: { words: "Service unreachable", tone: "warn" },
  never_used: { words: "Never used", tone: "quiet" },
  disconnected: { words: "Disconnected", tone: "quiet" },
  reauthorize: { words: "Re-authorize", tone: "bad" },
  suspended: { words: "Suspended", tone: "warn" },
};

export function describeState(connection: Connection, now = Date.now()): State {
  const key = connection.status === "active" ? connection.state : connection.status;
  const known = states[key] ?? { words: sentenceCase(key), tone: "warn" };
  if (key !== "working" && key !== "never_used" && key !== "expires_soon") return known;
  if (connection.wanted_scope) return { words: "Needs more access", tone: "warn" };
  const end = connection.access_expires_at;
  if (connection.refreshable !== false || !end) return known;
  // Nothing renews it: the person has to know before it ends.
  const soon = Date.parse(end) - now < 7 * 86_400_000;
  return { words: `Expires ${timeAgo(end, now)}`, tone: soon ? "warn" : known.tone };
}

const waiting = new Set(["reauthorize", "refused", "expires_soon"]);

/** Whether signing in again, or another key, is what this connection is waiting for. */
export const needsSignIn = (connection: Connection): boolean =>
  connection.status === "active" && (waiting.has(connection.state) || !!connection.wanted_scope);

/** What signing in again is called for this connection. */
export function againWords(connection: Connection): string {
  if (connection.status === "disconnected") return "Reconnect";
  if (connection.kind === "key") return "Replace the key";
  return connection.wanted_scope ? "Re-authorize with more access" : "Re-authorize";
}

/** How long after it was disconnected a connection keeps its label and history. */
const restoreDays = 30;

/** Days in which a disconnected connection can still be reconnected, the one that is running among them. */
export function daysLeft(connection: Connection, now = Date.now()): number {
  const since = Date.parse(connection.disconnected_at ?? "");
  if (Number.isNaN(since)) return restoreDays;
  return Math.min(restoreDays, Math.max(1, Math.ceil(restoreDays - (now - since) / 86_400_000)));
}

export const daysWords = (days: number): string => (days === 1 ? "Last day" : `${plural(days, "day")} left`);

const reminders: Record<string, string> = {
  reauthorize: "Calls are refused until you sign in again.",
  authorize_again_soon: "Signed in eleven months ago. It keeps working; sign in again if you still use it.",
};

/** What the person is asked for, or nothing. */
export const describeReminder = (connection: Connection): string | undefined =>
  reminders[connection.reminder ?? ""];

const revocations: Record<string, string> = {
  not_applicable: "Key not revoked by this",
  revoked: "Revoked",
  pending: "Being revoked",
  awaiting_credential: "Not revoked yet",
  failed: "Not revoked",
  skipped: "Not revoked",
  unsupported: "Not revoked",
};

/** What became of the access at the service, in the few words of a list. */
export const describeRevocation = (revocation: string | null | undefined): string =>
  revocations[revocation ?? "not_applicable"] ?? sentenceCase(revocation ?? "");

export const describeStorage = (storage: string): string =>
  storage === "zero_knowledge" ? "Zero-knowledge" : sentenceCase(storage);

export const labelOf = (connection: Connection): string => connection.label || connection.service_name;

/**
 * UTF-16 units that 100 characters take at most. Inputs count units and the server characters: a shorter input would
 * cut what the server takes, and say nothing.
 */
export const labelUnits = 200;

const numbers = new Intl.NumberFormat("en");
export const count = (value: number): string => numbers.format(value);

export const plural = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`;

export function byteWords(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB"];
  const step = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1);
  const value = bytes / 1000 ** step;
  return `${new Intl.NumberFormat("en", { maximumFractionDigits: step === 0 ? 0 : 1 }).format(value)} ${units[step] ?? ""}`;
}

/** A day of the service's own calendar, which is UTC. */
export const dayWords = (day: string): string =>
  new Intl.DateTimeFormat("en", { day: "numeric", month: "short", timeZone: "UTC" }).format(new Date(day));

export function sentenceCase(key: string): string {
  const words = key.replaceAll(/[_-]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What keeps a person from connecting this service, or nothing. */
export const obstacle = (service: Service): string | undefined =>
  service.available ? undefined : (service.unavailable_reason ?? "Not available in this deployment.");

/** The ways in, in the few words of a card. */
export function waysIn(service: Service): string {
  if (!service.oauth_available) return "Connect with a key";
  if (service.own_client?.required !== true) {
    return service.key_available ? "Sign in, or use a key" : "Sign in";
  }
  return service.key_available ? "Use a key, or an app of your own" : "Sign in with an app of your own";
}

export const signInWords = (service: Service): string =>
  service.url_required ? "Sign in at the server" : `Sign in with ${service.name}`;

/** Links come from data; a scheme other than http(s) is not one to click on. */
export function safeHref(url: string | null | undefined): string | undefined {
  if (!url || !URL.canParse(url)) return undefined;
  return /^https?:$/.test(new URL(url).protocol) ? url : undefined;
}

export const hostOf = (url: string | null | undefined): string =>
  url && URL.canParse(url) ? new URL(url).host : "";
