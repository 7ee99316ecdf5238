import { escapeHtml } from "../lib/html.ts";
import type { MailKind } from "../store/mail.ts";

/** What a text may name. Nothing of it opens anything. */
export interface MailFacts {
  readonly brand: string;
  /** The page that the mail leads to. */
  readonly link: string;
  readonly service: string | null;
  /** The person's own name for the connection. */
  readonly label: string | null;
  readonly detail: Readonly<Record<string, string | number>>;
}

export interface MailText {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

interface Words {
  readonly subject: string;
  readonly paragraphs: readonly string[];
  /** What the link does. */
  readonly action: string;
}

type Writer = (facts: Named) => Words;

/** Facts with words in the place of what is missing. */
interface Named extends MailFacts {
  readonly service: string;
  /** The service, and the person's name for the connection where that says more. */
  readonly connection: string;
}

const writers: Readonly<Record<MailKind, Writer>> = {
  master_key_missing: ({ brand, detail }) => ({
    subject: `${brand}: a master key is missing`,
    paragraphs: [
      `Stored data needs the master key with the fingerprint ${detail["fingerprint"] ?? "that the log names"}, and this deployment has not loaded it. What is sealed under it cannot be opened: managed connections that need it fail until it is back.`,
      "Put the key back into MANAGED_ENCRYPTION_KEYS, from the backup of your keys file, and deploy. The section on a lost key in the README says what to do if there is none.",
    ],
    action: "Open the page",
  }),
  reauth_needed: ({ connection, service }) => ({
    subject: `${service} needs you to sign in again`,
    paragraphs: [
      `${service} no longer accepts what was granted to your connection ${connection}. Calls through it are refused until you sign in again.`,
      "The connection keeps its name and history, and in managed storage its address and key. Where only you hold the key, give the present one when you sign in and it stays too.",
    ],
    action: "Sign in again",
  }),
  reauth_reminder: ({ connection, service }) => ({
    subject: `Your ${service} connection is eleven months old`,
    paragraphs: [
      `You last signed in for your connection ${connection} eleven months ago. It keeps working, and nothing stops by itself.`,
      "Sign in again if you still use it, so that the service sees you have agreed; or disconnect it if you do not.",
    ],
    action: "Look at the connection",
  }),
  subscription_confirmed: ({ brand }) => ({
    subject: `Your ${brand} subscription is active`,
    paragraphs: ["Thank you. Your subscription is active, and your connections work within its limits."],
    action: "See your plan",
  }),
  payment_failed: ({ brand }) => ({
    subject: `A payment for ${brand} failed`,
    paragraphs: [
      "The last payment of your subscription did not go through. Your connections keep working for now.",
      "Check the means of payment so that the next attempt succeeds.",
    ],
    action: "Check the payment",
  }),
  connections_suspended: ({ brand }) => ({
    subject: `Your ${brand} connections are suspended`,
    paragraphs: [
      "Your plan has ended, so calls through your connections are refused. Nothing was deleted: they work again, with the same addresses and keys, as soon as a plan is active.",
    ],
    action: "Choose a plan",
  }),
  connections_restored: ({ brand }) => ({
    subject: `Your ${brand} connections work again`,
    paragraphs: ["Your plan is active again, and so are your connections, with the same addresses and keys."],
    action: "See your connections",
  }),
  anomaly: ({ connection, service, detail }) => ({
    subject: `Unusual use of your ${service} connection`,
    paragraphs: [
      `Your connection ${connection} was used in a way that is new for it${unusual(detail)}. If that was you or a program of yours, there is nothing to do.`,
      "If you do not know it, make a new credential or disconnect: the old one stops at once.",
    ],
    action: "Look at the connection",
  }),
};

/** What was unusual, as the end of a sentence. */
function unusual(detail: MailFacts["detail"]): string {
  switch (detail["kind"]) {
    case "many_calls":
      return `: ${detail["calls"] ?? "many"} calls in one day, where its busiest of the two weeks before had ${detail["busiest_day"] ?? "far fewer"}`;
    case "many_renewals":
      return `: its access was renewed ${detail["renewals"] ?? "many"} times in one day, where the most in the two weeks before was ${detail["busiest_day"] ?? "far less"}`;
    case "many_refusals":
      return `: ${detail["refusals"] ?? "most"} of ${detail["calls"] ?? "its"} calls in one day were refused or failed`;
    case "after_silence":
      return `: it was called after ${detail["days"] ?? "many"} days or more without a call`;
    case undefined:
    default:
      return "";
  }
}

/** The mail in plain text and as HTML. */
export function writeMail(kind: MailKind, facts: MailFacts): MailText {
  const service = line(facts.service ?? "A service");
  const label = line(facts.label ?? "");
  const connection = label === "" || label === service ? `to ${service}` : `“${label}” (${service})`;
  const { subject, paragraphs, action } = writers[kind]({ ...facts, service, connection });
  const text = [...paragraphs, `${action}: ${facts.link}`, `— ${facts.brand}`].join("\n\n");
  const html = [
    ...paragraphs.map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`),
    `<p><a href="${escapeHtml(facts.link)}">${escapeHtml(action)}</a></p>`,
    `<p>— ${escapeHtml(facts.brand)}</p>`,
  ].join("\n");
  return { subject: line(subject), text: `${text}\n`, html };
}

/** On one line: a label that holds line breaks must not write further lines, or headers, of the mail. */
function line(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim();
}
