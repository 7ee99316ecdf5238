import type { Outbound } from "../lib/outbound.ts";
import type { DueMail } from "../store/mail.ts";
import { askClerk, plainAddress, type Clerk, type Lookup } from "./address.ts";
import { sendThroughSmtp2go, type Sent, type Smtp2go } from "./smtp2go.ts";
import type { MailText } from "./text.ts";

export interface MailSettings extends Smtp2go {
  /** Where the administrator is told. */
  readonly admin: string | undefined;
  readonly clerk: Clerk | undefined;
}

export interface Mailer {
  /**
   * The address of the person, or of the administrator: the verified one of the sign-in, else Clerk's record.
   * `ask`, true by default: whether Clerk may be asked; where it may not and would have to be, there is `no_answer`.
   */
  addressOf(mail: Pick<DueMail, "user_id" | "email" | "issuer" | "subject">, ask?: boolean): Promise<Lookup>;
  send(to: string, text: MailText): Promise<Sent>;
}

export function createMailer(settings: MailSettings, outbound: Outbound): Mailer {
  const { admin, clerk } = settings;
  return {
    async addressOf(mail, ask = true) {
      if (mail.user_id === null) return plainAddress(admin);
      const known = plainAddress(mail.email);
      if (known !== "none" || mail.subject === null || clerk === undefined || mail.issuer !== clerk.issuer) {
        return known;
      }
      return ask ? await askClerk(clerk, mail.subject, outbound) : "no_answer";
    },

    async send(to, text) {
      return await sendThroughSmtp2go(settings, to, text, outbound);
    },
  };
}
