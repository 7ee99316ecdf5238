import { createMailer, type Mailer, type MailSettings } from "../../src/mail/mailer.ts";
import { createOutbound, OutboundError, type Outbound } from "../../src/lib/outbound.ts";
import type { Canned, Received, Routes } from "./canned.ts";

export interface Post {
  readonly mailer: Mailer;
  /** What SMTP2GO is to answer from now on. */
  answer(canned: Canned): Promise<void>;
  /** What Clerk is to answer for a subject. */
  clerk(subject: string, canned: Canned): Promise<void>;
  /** The requests that reached SMTP2GO, oldest first. */
  posted(): Promise<readonly Received[]>;
  /** The bodies of those. */
  mails(): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

export const clerkSubjectIssuer = "https://clerk.bindify.example";

export const taken: Canned = {
  json: { request_id: "r", data: { succeeded: 1, failed: 0, failures: [], email_id: "1m4n8l-8jg3j1-7r" } },
};

/**
 * A mailer whose SMTP2GO and Clerk are routes of the hostile server, below a name of their own. Only the two addresses
 * of the real ones are let through.
 */
export async function createPost(hostile: string, changes: Partial<MailSettings> = {}): Promise<Post> {
  const own = crypto.randomUUID();
  const loopback = createOutbound({ allowLoopback: true, ownHosts: [] });
  const outbound: Outbound = async (target, request) => {
    const { host, pathname, protocol } = new URL(target);
    if (protocol !== "https:" || !["api.smtp2go.com", "api.clerk.com"].includes(host)) {
      throw new OutboundError("denied");
    }
    return await loopback(`${hostile}/${own}/${host}${pathname}`, request);
  };
  const teach = async (routes: Routes): Promise<void> => {
    await fetch(`${hostile}/_/routes`, { method: "PUT", body: JSON.stringify(routes) });
  };
  const send = `/${own}/api.smtp2go.com/v3/email/send`;
  const posted = async (): Promise<readonly Received[]> => {
    const answer = await fetch(`${hostile}/_/requests?part=${encodeURIComponent(send)}`);
    return await answer.json<Received[]>();
  };
  const answer = async (canned: Canned): Promise<void> => await teach({ [`POST ${send}`]: canned });
  await answer(taken);
  const settings: MailSettings = {
    apiKey: "api-0123456789ABCDEF0123456789ABCDEF",
    sender: "Bindify <mail@bindify.example>",
    admin: "admin@bindify.example",
    clerk: { secretKey: "sk_test_clerk-secret-0123456789", issuer: clerkSubjectIssuer },
    ...changes,
  };
  return {
    mailer: createMailer(settings, outbound),
    answer,
    clerk: async (subject, canned) =>
      await teach({ [`GET /${own}/api.clerk.com/v1/users/${subject}`]: canned }),
    posted,
    mails: async () =>
      (await posted()).map(({ body }): Readonly<Record<string, unknown>> => JSON.parse(body)),
  };
}
