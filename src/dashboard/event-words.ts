/** The audit log in a person's words. */
import type { AuditEvent } from "./account-schemas.ts";
import { sentenceCase, type Tone } from "./format.ts";

interface Kind {
  words: string;
  tone: Tone;
}

const kinds: Record<string, Kind> = {
  login: { words: "Signed in", tone: "quiet" },
  connection_created: { words: "Connected", tone: "good" },
  connection_reauthorized: { words: "Re-authorized", tone: "good" },
  connection_restored: { words: "Reconnected", tone: "good" },
  connection_regenerated: { words: "New credential", tone: "good" },
  connection_renamed: { words: "Renamed", tone: "quiet" },
  connection_disconnected: { words: "Disconnected", tone: "warn" },
  connection_suspended: { words: "Suspended", tone: "warn" },
  connection_resumed: { words: "Resumed", tone: "good" },
  connection_purged: { words: "Deleted for good", tone: "warn" },
  key_validation_failed: { words: "Key not accepted", tone: "bad" },
  refresh_succeeded: { words: "Access renewed", tone: "quiet" },
  refresh_failed: { words: "Access not renewed", tone: "bad" },
  liveness_failed: { words: "Check failed", tone: "bad" },
  provider_revocation: { words: "Access ended at the service", tone: "quiet" },
  token_created: { words: "API token created", tone: "good" },
  token_revoked: { words: "API token revoked", tone: "warn" },
  plan_changed: { words: "Plan changed", tone: "quiet" },
  master_key_rotated: { words: "Master key rotated", tone: "quiet" },
  data_key_replaced: { words: "Data key replaced", tone: "quiet" },
  configuration_changed: { words: "Configuration changed", tone: "quiet" },
  anomaly: { words: "Unusual activity", tone: "bad" },
};

export const eventTypes: ReadonlyArray<{ type: string; words: string }> = Object.entries(kinds).map(
  ([type, { words }]) => ({ type, words }),
);

/** What an anomaly's kind says. */
const unusual: Record<string, string> = {
  many_calls: "Unusually many calls",
  many_renewals: "Unusually many renewals",
  many_refusals: "Most calls refused",
  after_silence: "Used after a long silence",
};

/** What a changed setting's name says. */
const settings: Record<string, string> = {
  storage: "Storage changed",
  kind: "Way of connecting changed",
  authorization_server: "Sign-in server changed",
  server_address: "Server address changed",
};

/** The fact that is an event's words, where its type alone says too little. */
const spoken: Record<string, { fact: string; words: Record<string, string> }> = {
  anomaly: { fact: "kind", words: unusual },
  configuration_changed: { fact: "setting", words: settings },
};

export const describeEvent = ({ type, detail }: AuditEvent): Kind => {
  const kind = kinds[type] ?? { words: sentenceCase(type), tone: "quiet" };
  const told = spoken[type];
  if (told) return { ...kind, words: told.words[String(detail[told.fact])] ?? kind.words };
  if (type !== "provider_revocation" || detail["outcome"] === "revoked") return kind;
  return { words: "Access not ended at the service", tone: "warn" };
};

export function describeActor(actor: string, tokens: ReadonlyMap<string, string>): string {
  if (actor === "owner") return "You";
  if (actor === "system") return "By itself";
  const name = tokens.get(actor);
  return name === undefined ? "An API token" : `API token ${name}`;
}

/** The facts of an event in one line; they are names and numbers, never a person's text. */
export const describeDetail = ({ type, detail }: AuditEvent, tokens: ReadonlyMap<string, string>): string =>
  Object.entries(detail)
    .filter(([name, value]) => value !== null && spoken[type]?.fact !== name)
    .map(([name, value]) => `${name.replaceAll("_", " ")}: ${describeValue(String(value), tokens)}`)
    .join(" · ");

/** Ids stay as they are; names lose their underscores. */
function describeValue(value: string, tokens: ReadonlyMap<string, string>): string {
  return tokens.get(value) ?? (/^[a-z_]+$/.test(value) ? value.replaceAll("_", " ") : value);
}
