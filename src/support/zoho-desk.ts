import { z } from "zod";
import { fromUtf8 } from "../lib/bytes.ts";
import { second, type Clock } from "../lib/clock.ts";
import { Deadline } from "../lib/deadline.ts";
import { OutboundError, readCapped, type Outbound } from "../lib/outbound.ts";
import { ticketBody, type Ticket } from "./ticket.ts";

const signInTime = 10 * second;
const fileTime = 15 * second;
const answerLimit = 256 * 1024;
/** A token is not used in the last minute of its life, and never for longer than Zoho's hour. */
const margin = 60;
const longestLife = 3600;
/**
 * Zoho gives ten access tokens in ten minutes, then none: after `sign_in` and `no_answer`, which no person's limit
 * counts, it is not asked again for this time, ms.
 */
const pause = 60 * second;

/** Where an organization's data lives; Canada's addresses are of another name. */
export const zohoRegions = ["com", "eu", "in", "com.au", "jp", "com.cn", "sa", "uk", "ca"] as const;
export type ZohoRegion = (typeof zohoRegions)[number];

export interface ZohoDesk {
  readonly orgId: string;
  readonly departmentId: string;
  readonly region: ZohoRegion;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly refreshToken: string;
}

/**
 * `sign_in`: Zoho does not take the client or its refresh token. `refused`: it does not take the ticket. `no_answer`:
 * later, perhaps. With none of them a ticket was filed; with `unknown` nobody knows.
 */
export type Filed = "filed" | "sign_in" | "refused" | "no_answer" | "unknown";

export interface Desk {
  file(ticket: Ticket): Promise<Filed>;
}

/** Some of Zoho's servers give `expires_in` in milliseconds, and then the seconds in a member of their own. */
const tokenAnswer = z.object({
  access_token: z.string().regex(/^[\x21-\x7e]{1,1000}$/),
  expires_in: z.number().positive(),
  expires_in_sec: z.number().positive().optional(),
});
/** What a refused refresh says, with status 200 as well. */
const refusal = z.object({ error: z.string() });
const ticketAnswer = z.object({ id: z.string().min(1) });

/** Files tickets at Zoho Desk. The access token is kept in memory alone. */
export function createZohoDesk(settings: ZohoDesk, outbound: Outbound, clock: Clock): Desk {
  const domain = settings.region === "ca" ? "zohocloud.ca" : `zoho.${settings.region}`;
  let held: { readonly token: string; readonly until: number } | undefined;
  let paused: { readonly reason: "sign_in" | "no_answer"; readonly until: number } | undefined;

  const rest = (reason: "sign_in" | "no_answer") => {
    paused = { reason, until: clock() + pause };
    return reason;
  };

  const signIn = async (): Promise<{ readonly token: string } | "sign_in" | "no_answer"> => {
    if (paused !== undefined && clock() < paused.until) return paused.reason;
    if (held !== undefined && clock() < held.until) return held;
    const answer = await ask(outbound, signInTime, `https://accounts.${domain}/oauth/v2/token`, {
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({
        grant_type: "refresh_token",
        client_id: settings.clientId,
        client_secret: settings.clientSecret,
        refresh_token: settings.refreshToken,
      }).toString(),
    });
    const parsed = tokenAnswer.safeParse(answer?.json);
    if (answer?.status !== 200 || !parsed.success) {
      return rest(refusal.safeParse(answer?.json).success ? "sign_in" : "no_answer");
    }
    const { access_token: token, expires_in: life, expires_in_sec: inSeconds } = parsed.data;
    const seconds = Math.min(inSeconds ?? life, longestLife) - margin;
    held = { token, until: clock() + seconds * second };
    return held;
  };

  const send = async (token: string, ticket: Ticket) =>
    await ask(outbound, fileTime, `https://desk.${domain}/api/v1/tickets`, {
      headers: {
        "content-type": "application/json",
        orgId: settings.orgId,
        authorization: `Zoho-oauthtoken ${token}`,
      },
      body: JSON.stringify({ departmentId: settings.departmentId, ...ticketBody(ticket) }),
    });

  const settle = (answer: Answer | undefined): Filed => {
    const outcome = outcomeOf(answer);
    return outcome === "sign_in" || outcome === "no_answer" ? rest(outcome) : outcome;
  };

  return {
    async file(ticket) {
      const first = await signIn();
      if (typeof first === "string") return first;
      const answer = await send(first.token, ticket);
      if (answer?.status !== 401) return settle(answer);
      // Taken back before its time: one more try with a new one.
      if (held?.token === first.token) held = undefined;
      const again = await signIn();
      return typeof again === "string" ? again : settle(await send(again.token, ticket));
    },
  };
}

interface Answer {
  readonly status: number;
  /** Undefined where the body is no JSON, or too long. */
  readonly json: unknown;
}

function outcomeOf(answer: Answer | undefined): Filed {
  if (answer === undefined || answer.status >= 500) return "unknown";
  if (answer.status === 401) return "sign_in";
  if (answer.status === 429) return "no_answer";
  if (answer.status >= 300) return "refused";
  return ticketAnswer.safeParse(answer.json).success ? "filed" : "unknown";
}

/** Undefined where there was no answer. */
async function ask(
  outbound: Outbound,
  time: number,
  url: string,
  { headers, body }: { readonly headers: Readonly<Record<string, string>>; readonly body: string },
): Promise<Answer | undefined> {
  const deadline = new Deadline(time);
  try {
    const response = await outbound(url, {
      method: "POST",
      headers: { ...headers, accept: "application/json" },
      body,
      deadline,
    });
    const bytes = await readCapped(response, answerLimit);
    return { status: response.status, json: bytes === undefined ? undefined : parseJson(bytes) };
  } catch (error) {
    if (error instanceof OutboundError) return undefined;
    throw error;
  } finally {
    deadline.lift();
  }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(fromUtf8(bytes));
  } catch {
    return undefined;
  }
}
