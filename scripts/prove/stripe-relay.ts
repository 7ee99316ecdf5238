import type { ServerResponse } from "node:http";
import { startStripeDouble } from "../../test/support/node/stripe-double/server.ts";
import type { Double } from "./double.ts";
import type { Secrets } from "./secrets.ts";

/** How Stripe misbehaves: each repeats the request it got. */
export const stripeModes = ["refused", "declined", "failing", "html"] as const;
export type StripeMode = (typeof stripeModes)[number];

/** Stands before the double of Stripe, and keeps what is sent there. */
export interface StripeRelay extends Double {
  readonly secretKey: string;
  readonly webhookSecret: string;
  /** What the next requests get; when there is nothing left, the double answers. */
  readonly modes: StripeMode[];
  /** What only the double can be told: see its `control.ts`. Undefined where that does not fit, as a checkout that ended. */
  say(body: object): Promise<unknown>;
  close(): Promise<void>;
}

const passedOn = ["authorization", "content-type", "idempotency-key", "stripe-version"] as const;

export async function startStripe(secrets: Secrets): Promise<StripeRelay> {
  const double = await startStripeDouble();
  const secretKey = secrets.make("Stripe's secret key", "deployment");
  const modes: StripeMode[] = [];
  return {
    secretKey,
    webhookSecret: secrets.make("Stripe's webhook secret", "deployment"),
    modes,
    // What is below users is Clerk's.
    takes: (path) => path.startsWith("/v1/") && !path.startsWith("/v1/users/"),
    async answer({ request, response, body, echo }, collected) {
      const { method = "GET", url = "/" } = request;
      const made = method === "POST" && url === "/v1/customers";
      for (const [name, value] of Object.entries(request.headers)) {
        const allowed = name === "authorization" ? ([{ rule: "the header for Stripe" }] as const) : [];
        collected.add("request to a service", `Stripe header ${name}`, String(value), allowed);
      }
      collected.add("request to a service", "Stripe address", url);
      collected.add(
        "request to a service",
        "Stripe body",
        body,
        made ? [{ rule: "the customer that is made at Stripe" }] : [],
      );
      const mode = modes.shift();
      if (mode !== undefined) {
        misbehave(mode, response, echo);
        return;
      }
      const headers = new Headers();
      for (const name of passedOn) {
        const value = request.headers[name];
        if (typeof value === "string") headers.set(name, value);
      }
      const answered = await fetch(double.url + url, {
        method,
        headers,
        ...(method === "POST" ? { body } : {}),
      });
      const text = await answered.text();
      response.writeHead(answered.status, { "content-type": "application/json", "request-id": "req_prove" });
      response.end(text);
    },
    async say(body) {
      const headers = { authorization: `Bearer ${secretKey}` };
      const answer = await fetch(`${double.url}/_/`, {
        method: "POST",
        headers,
        body: JSON.stringify(body),
      });
      return answer.ok ? await answer.json() : undefined;
    },
    close: () => double.close(),
  };
}

function misbehave(mode: StripeMode, response: ServerResponse, echo: string): void {
  const statuses = { refused: 400, declined: 402, failing: 503, html: 200 } as const;
  const type = mode === "declined" ? "card_error" : "invalid_request_error";
  const error = { type, code: echo.slice(0, 200), message: echo, param: echo };
  response
    .writeHead(statuses[mode], {
      "content-type": mode === "html" ? "text/html" : "application/json",
      "request-id": "req_prove",
      "stripe-should-retry": "false",
    })
    .end(mode === "html" ? `<pre>${echo}</pre>` : JSON.stringify({ error }));
}
