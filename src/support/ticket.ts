import { escapeHtml } from "../lib/html.ts";
import { z } from "zod";

export interface Ticket {
  readonly subject: string;
  /** Plain text. */
  readonly message: string;
  readonly person: { readonly id: string; readonly email: string | null; readonly name: string | null };
}

/** Zoho's limits on a contact's name and on an address. */
const nameLimit = 80;
const address = z.email().max(100);

/**
 * The members of a ticket (Zoho Desk API v1, "Create a ticket") that follow from what the person wrote. A contact needs
 * a last name or an address; whoever has no address is named by their id here.
 */
export function ticketBody({ subject, message, person }: Ticket) {
  const email = address.safeParse(person.email).data;
  const name = (person.name ?? email ?? person.id).slice(0, nameLimit);
  return {
    subject,
    // Agents see a description as HTML: what a person writes must not become markup in their page.
    description: escapeHtml(message).replaceAll(/\r\n?|\n/g, "<br>"),
    channel: "Web",
    contact: { lastName: name, ...(email === undefined ? {} : { email }) },
    ...(email === undefined ? {} : { email }),
  };
}
