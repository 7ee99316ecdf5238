import { day, minute } from "../lib/clock.ts";
import { errorKind, type ErrorKind, type Log } from "../lib/log.ts";
import type { Mailer } from "../mail/mailer.ts";
import { writeMail, type MailText } from "../mail/text.ts";
import { z } from "zod";
import type { DueMail, MailOutcome, Mails } from "../store/mail.ts";
import type { Catalogue } from "../services/index.ts";

/** Mails of one run, at most: each takes up to four requests of ours. */
const largestBatch = 25;
/** ms until a mail is tried again, by the number of tries before. */
const backOff = [minute, 5 * minute, 30 * minute, 120 * minute, 360 * minute];
const longestBackOff = 720 * minute;
/** Where addresses could not be looked up so often, none is in this run any more: each may take its whole time. */
const lookups = 2;
/** After this time a mail that cannot be sent is given up. */
const patience = 3 * day;

export interface DeliverDeps {
  readonly stores: { readonly mail: Mails };
  /** Undefined where mail is not configured. */
  readonly mailer: Mailer | undefined;
  readonly catalogue: Catalogue;
  readonly site: { readonly brand: string; readonly adminUrls: readonly string[] & { readonly 0: string } };
  readonly log: Log;
  /** Mails of one run, at most. */
  readonly backgroundBudget: number;
}

/**
 * Sends what is due. A mail is taken before it is sent and marked after: whoever dies in between leaves it to be sent
 * again, so a mail comes at least once, and at most once a try.
 */
export async function deliverMail(deps: DeliverDeps): Promise<number> {
  const { mailer, stores } = deps;
  if (mailer === undefined) return 0;
  let sent = 0;
  let failedLookups = 0;
  for (const mail of await stores.mail.due(Math.min(deps.backgroundBudget, largestBatch))) {
    if (!(await stores.mail.claim(mail, backOff[mail.tries] ?? longestBackOff))) continue;
    const { result, error, by } = await deliver(mail, mailer, failedLookups < lookups, deps);
    if (result === "sent") sent += 1;
    if (result === "account" || result === "no_answer") {
      const over = mail.age >= patience;
      const reason = over ? "given_up" : result;
      deps.log({ event: "mail_failed", mail: mail.kind, reason, ...(error !== undefined && { error }) });
      if (over) await stores.mail.end(mail.id, "refused");
      // The others would fare no better, and each may take its whole time.
      if (by === "sender") break;
      if (by === "lookup") failedLookups += 1;
      continue;
    }
    if (result === "refused" || result === "no_address") {
      deps.log({ event: "mail_failed", mail: mail.kind, reason: result });
    }
    await stores.mail.end(mail.id, result);
  }
  return sent;
}

interface Delivery {
  readonly result: MailOutcome | "account" | "no_answer";
  /** Who brought it about, where that says something of the mails behind this one. */
  readonly by?: "lookup" | "sender";
  readonly error?: ErrorKind;
}

async function deliver(mail: DueMail, mailer: Mailer, ask: boolean, deps: DeliverDeps): Promise<Delivery> {
  try {
    if (isObsolete(mail)) return { result: "obsolete" };
    const address = await mailer.addressOf(mail, ask);
    if (address === "none") return { result: "no_address" };
    if (address === "no_answer") return { result: "no_answer", by: "lookup" };
    return { result: await mailer.send(address.to, textOf(mail, deps)), by: "sender" };
  } catch (error) {
    // This mail's own trouble, such as a detail that its text cannot be written from: the others go on.
    return { result: "no_answer", error: errorKind(error) };
  }
}

/** What it would say is not true any more. */
function isObsolete(mail: DueMail): boolean {
  if (mail.kind === "reauth_needed") return mail.needs_sign_in === 0;
  if (mail.kind === "reauth_reminder") return mail.still_old === 0;
  return false;
}

const details = z.record(z.string(), z.union([z.string(), z.number()]));

function textOf(mail: DueMail, { catalogue, site }: DeliverDeps): MailText {
  const page = site.adminUrls[0];
  const again = mail.kind === "reauth_needed" || mail.kind === "reauth_reminder";
  const view = again ? "again" : mail.kind === "anomaly" ? "connection" : undefined;
  return writeMail(mail.kind, {
    brand: site.brand,
    link:
      view !== undefined && mail.connection_id !== null
        ? `${page}/#/${view}/${encodeURIComponent(mail.connection_id)}`
        : `${page}/`,
    service: mail.service === null ? null : (catalogue.get(mail.service)?.name ?? mail.service),
    label: mail.label,
    detail: details.parse(JSON.parse(mail.detail)),
  });
}
