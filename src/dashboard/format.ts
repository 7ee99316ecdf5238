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

export function fullTime(iso: string): string {
  return new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso));
}

export type Tone = "good" | "quiet" | "warn" | "bad";

const states: Record<string, { words: string; tone: Tone }> = {
  working: { words: "Working", tone: "good" },
  never_used: { words: "Never used", tone: "quiet" },
  disconnected: { words: "Disconnected", tone: "quiet" },
  reauthorize: { words: "Connect again", tone: "bad" },
  suspended: { words: "Suspended", tone: "warn" },
};

export function describeState(connection: Connection): { words: string; tone: Tone } {
  const key = connection.status === "active" ? connection.state : connection.status;
  return states[key] ?? { words: sentenceCase(key), tone: "warn" };
}

export const describeStorage = (storage: string): string =>
  storage === "zero_knowledge" ? "Zero-knowledge" : sentenceCase(storage);

export const labelOf = (connection: Connection): string => connection.label || connection.service_name;

function sentenceCase(key: string): string {
  const words = key.replaceAll(/[_-]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What keeps a person from connecting this service with a key, or nothing. */
export function obstacle(service: Service): string | undefined {
  if (service.key_available) return undefined;
  if (!service.available) return service.unavailable_reason ?? "Not available in this deployment.";
  return "Needs OAuth sign-in, which is not in this version.";
}

/** Links come from data; a scheme other than http(s) is not one to click on. */
export function safeHref(url: string | null | undefined): string | undefined {
  if (!url || !URL.canParse(url)) return undefined;
  return /^https?:$/.test(new URL(url).protocol) ? url : undefined;
}

export const hostOf = (url: string | null | undefined): string =>
  url && URL.canParse(url) ? new URL(url).host : "";
