import type { ServerResponse } from "node:http";
import { z } from "zod";
import { zohoTicket, zohoToken } from "../../test/support/zoho.ts";
import type { Double, Received } from "./double.ts";
import type { Allowance, Collected } from "./evidence.ts";
import type { Secrets } from "./secrets.ts";

/** How Zoho Desk misbehaves over a ticket, besides repeating it; the worker goes on asking. */
export const ticketModes = ["token taken back", "refused", "failing", "html", "cut"] as const;
/** After these the worker leaves Zoho alone for a minute. */
export const silencingModes = ["busy", "token never taken"] as const;
export type TicketMode = (typeof ticketModes | typeof silencingModes)[number];

/** How its accounts server misbehaves. */
export const accountModes = ["refused", "failing"] as const;

/** What a ticket may hold, and what it gets; undefined: it is filed. */
export interface ExpectedTicket {
  readonly allowed: readonly Allowance[];
  readonly mode: TicketMode | undefined;
}

/** Stands for Zoho's accounts server and Zoho Desk. */
export interface DeskDouble extends Double {
  readonly hosts: readonly string[];
  readonly clientSecret: string;
  readonly refreshToken: string;
  /** What each client's next requests for a token get; when there is nothing left, a token. */
  readonly accountModes: Map<string, (typeof accountModes)[number][]>;
  /** By their subjects. Another ticket may hold nothing. */
  readonly expected: Map<string, ExpectedTicket>;
}

const tokenPath = "/oauth/v2/token";
const ticketPath = "/api/v1/tickets";
const ticketSchema = z.object({ subject: z.string() });

export function createDeskDouble(secrets: Secrets): DeskDouble {
  const expected: DeskDouble["expected"] = new Map();
  const accounts: DeskDouble["accountModes"] = new Map();

  const signIn = ({ body, response, echo }: Received): void => {
    const client = new URLSearchParams(body).get("client_id") ?? "";
    const mode = accounts.get(client)?.shift();
    if (mode === "failing") send(response, 503, "text/html", echo);
    else if (mode === "refused") {
      send(response, 200, "application/json", JSON.stringify({ error: "invalid_code", request: echo }));
    } else {
      // Of its life the worker keeps a minute in reserve: another one is asked for soon.
      const token = zohoToken(secrets.make("Zoho's access token", "deployment"), { expires_in: 62 });
      send(response, 200, "application/json", JSON.stringify({ ...token, request: echo }));
    }
  };

  return {
    hosts: ["accounts.zoho.eu", "desk.zoho.eu"],
    clientSecret: secrets.make("Zoho's client secret", "deployment"),
    refreshToken: secrets.make("Zoho's refresh token", "deployment"),
    accountModes: accounts,
    expected,
    takes: (path) => path === tokenPath || path === ticketPath,
    async answer(received, collected) {
      if (received.request.url === tokenPath) {
        keep("Zoho accounts", received, collected, { body: [{ rule: "the request for Zoho's token" }] });
        signIn(received);
        return;
      }
      const { subject } = ticketSchema.parse(JSON.parse(received.body));
      const { allowed = [], mode } = expected.get(subject) ?? {};
      keep("Zoho ticket", received, collected, {
        authorization: [{ rule: "the header for Zoho Desk" }],
        body: allowed,
      });
      // The next try of the same ticket is taken.
      if (mode === "token taken back") expected.set(subject, { allowed, mode: undefined });
      answerTicket(received, mode);
    },
  };
}

function keep(
  place: string,
  { request, body }: Received,
  collected: Collected,
  allowed: { readonly authorization?: readonly Allowance[]; readonly body: readonly Allowance[] },
): void {
  for (const [name, value] of Object.entries(request.headers)) {
    const own = name === "authorization" ? allowed.authorization : [];
    collected.add("request to a service", `${place} header ${name}`, String(value), own);
  }
  collected.add("request to a service", `${place} address`, request.url ?? "");
  collected.add("request to a service", `${place} body`, body, allowed.body);
}

function answerTicket({ request, response, echo }: Received, mode: TicketMode | undefined): void {
  const error = (errorCode: string): string => JSON.stringify({ errorCode, message: echo, errors: [echo] });
  const json = "application/json";
  switch (mode) {
    case undefined:
      send(response, 200, json, JSON.stringify({ ...zohoTicket, description: echo }));
      break;
    case "token taken back":
    case "token never taken":
      send(response, 401, json, error("INVALID_OAUTH"));
      break;
    case "busy":
      send(response, 429, json, error("THRESHOLD_EXCEEDED"));
      break;
    case "refused":
      send(response, 422, json, error("UNPROCESSABLE_ENTITY"));
      break;
    case "failing":
      send(response, 500, json, error("INTERNAL_SERVER_ERROR"));
      break;
    case "html":
      send(response, 200, "text/html", `<pre>${echo}</pre>`);
      break;
    case "cut":
      response.writeHead(200, { "content-type": json, "content-length": 100_000 });
      response.write(echo, () => request.socket.resetAndDestroy());
      break;
  }
}

function send(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { "content-type": type }).end(text);
}
