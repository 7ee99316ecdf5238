import { z } from "zod";
import { fromUtf8 } from "../lib/bytes.ts";
import { second } from "../lib/clock.ts";
import { Deadline } from "../lib/deadline.ts";
import { OutboundError, readCapped, type Outbound } from "../lib/outbound.ts";

const lookupTime = 10 * second;
const answerLimit = 256 * 1024;

/** Clerk's backend API, "Retrieve a user": other members are of no interest here. */
const clerkUser = z.object({
  primary_email_address_id: z.string().nullable(),
  email_addresses: z.array(
    z.object({
      id: z.string(),
      email_address: z.string(),
      verification: z.object({ status: z.string() }).nullish(),
    }),
  ),
});

export interface Clerk {
  readonly secretKey: string;
  /** Whose subjects are Clerk's user ids. */
  readonly issuer: string;
}

/** An address, `none` where there is none, or `no_answer` where asking failed. */
export type Lookup = { readonly to: string } | "none" | "no_answer";

/** One address and nothing else: a claim that spells several, or a header, is none. */
export function plainAddress(text: string | null | undefined): Lookup {
  const parsed = z.email().max(254).safeParse(text);
  return parsed.success ? { to: parsed.data } : "none";
}

/** The verified primary address of a person in Clerk's record. */
export async function askClerk(clerk: Clerk, subject: string, outbound: Outbound): Promise<Lookup> {
  const deadline = new Deadline(lookupTime);
  try {
    const response = await outbound(`https://api.clerk.com/v1/users/${encodeURIComponent(subject)}`, {
      method: "GET",
      headers: { authorization: `Bearer ${clerk.secretKey}`, accept: "application/json" },
      deadline,
    });
    const body = await readCapped(response, answerLimit);
    if (response.status === 404) return "none";
    if (!response.ok || body === undefined) return "no_answer";
    const user = clerkUser.parse(JSON.parse(fromUtf8(body)));
    const primary = user.email_addresses.find(({ id }) => id === user.primary_email_address_id);
    return primary?.verification?.status === "verified" ? plainAddress(primary.email_address) : "none";
  } catch (error) {
    if (error instanceof OutboundError || error instanceof SyntaxError || error instanceof z.ZodError) {
      return "no_answer";
    }
    throw error;
  } finally {
    deadline.lift();
  }
}
