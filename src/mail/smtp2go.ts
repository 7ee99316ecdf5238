import { z } from "zod";
import { fromUtf8 } from "../lib/bytes.ts";
import { second } from "../lib/clock.ts";
import { Deadline } from "../lib/deadline.ts";
import { OutboundError, readCapped, type Outbound } from "../lib/outbound.ts";
import type { MailText } from "./text.ts";

/** Shorter than the first retry's delay: a try has ended before the next can begin. */
const sendTime = 20 * second;
const answerLimit = 64 * 1024;

const answer = z.object({ data: z.object({ succeeded: z.number(), failed: z.number().optional() }) });

/**
 * `refused`: this mail will never be taken. `account`: no mail is taken at present, because of the key, the sender or
 * the quota. `no_answer`: later, perhaps.
 */
export type Sent = "sent" | "refused" | "account" | "no_answer";

export interface Smtp2go {
  readonly apiKey: string;
  readonly sender: string;
}

/** Hands one mail to SMTP2GO (developers.smtp2go.com, "Send a standard email", "Response codes"). */
export async function sendThroughSmtp2go(
  { apiKey, sender }: Smtp2go,
  to: string,
  { subject, text, html }: MailText,
  outbound: Outbound,
): Promise<Sent> {
  const deadline = new Deadline(sendTime);
  try {
    const response = await outbound("https://api.smtp2go.com/v3/email/send", {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json",
        "x-smtp2go-api-key": apiKey,
      },
      body: JSON.stringify({ sender, to: [to], subject, text_body: text, html_body: html }),
      deadline,
    });
    const body = await readCapped(response, answerLimit);
    if (!response.ok) return refusalOf(response.status);
    const parsed = answer.safeParse(body === undefined ? undefined : parseJson(fromUtf8(body)));
    if (!parsed.success) return "no_answer";
    return parsed.data.data.succeeded > 0 ? "sent" : "refused";
  } catch (error) {
    if (error instanceof OutboundError) return "no_answer";
    throw error;
  } finally {
    deadline.lift();
  }
}

function refusalOf(status: number): Sent {
  if (status === 401 || status === 402 || status === 403 || status === 429) return "account";
  return status >= 400 && status < 500 && status !== 408 ? "refused" : "no_answer";
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
