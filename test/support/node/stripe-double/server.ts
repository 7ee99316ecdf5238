import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { listenOnLoopback, type Listening } from "../listening.ts";
import { createAccount, type Account } from "./account.ts";
import { control } from "./control.ts";
import { invalid, parseForm, StripeFailure } from "./form.ts";
import { apiVersion } from "./objects.ts";
import { checkoutPage, portalPage } from "./pages.ts";
import { routes } from "./routes.ts";

interface Answer {
  readonly status: number;
  readonly body: string;
}

/**
 * A stand-in for Stripe: the routes that Bindify uses, with memory. Each API key is an account of its own. It refuses
 * what Stripe would (no version, unknown parameters, a key that comes again with something else) and what Bindify must
 * not do (a write under a random key). `POST /_/` is what only a test can say: see `control.ts`.
 */
export async function startStripeDouble(): Promise<Listening> {
  const accounts = new Map<string, Account>();
  const accountOf = (key: string): Account => {
    const known = accounts.get(key) ?? createAccount();
    accounts.set(key, known);
    return known;
  };
  const owner = (kind: "sessions" | "portals", id: string) =>
    [...accounts.values()].find((account) => account[kind].has(id));

  const listening: Listening = await listenOnLoopback(0, async (request, response) => {
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const url = new URL(request.url ?? "/", listening.url);
    const [, kind, , id = ""] = url.pathname.split("/");
    if (kind === "c" || kind === "p") {
      const account = owner(kind === "c" ? "sessions" : "portals", id);
      if (account === undefined) return void response.writeHead(404).end();
      const pressed = request.method === "POST" ? (new URLSearchParams(text).get("do") ?? "") : undefined;
      const page = (kind === "c" ? checkoutPage : portalPage)(account, id, pressed);
      const headers = page.location === undefined ? {} : { Location: page.location };
      return void response.writeHead(page.status, { "Content-Type": "text/html", ...headers }).end(page.html);
    }
    const key = /^Bearer (sk_test_\w+)$/.exec(request.headers.authorization ?? "")?.[1];
    if (key === undefined) {
      return send(response, 401, failure(401, "invalid_request_error", "You did not provide an API key."));
    }
    const account = accountOf(key);
    if (kind === "_") return send(response, 200, await controlled(account, text));
    const answer = answerApi(account, request, url, text, listening.url);
    send(response, answer.status, answer.body);
  });
  return listening;
}

async function controlled(account: Account, text: string): Promise<string> {
  return JSON.stringify(await control(account, JSON.parse(text)));
}

function answerApi(
  account: Account,
  request: IncomingMessage,
  url: URL,
  text: string,
  origin: string,
): Answer {
  const method = request.method ?? "";
  const given = request.headers["idempotency-key"];
  const key = typeof given === "string" ? given : null;
  account.calls.push({ method, path: url.pathname, key });
  if (account.failures > 0) {
    account.failures -= 1;
    return { status: 503, body: failure(503, "api_error", "Something went wrong on Stripe's end.") };
  }
  try {
    if (request.headers["stripe-version"] !== apiVersion)
      throw invalid("The Stripe-Version is not the SDK's.");
    const route = routes.find((one) => one.method === method && one.path.test(url.pathname));
    if (route === undefined) throw invalid(`Unrecognized request URL (${method}: ${url.pathname}).`);
    const writes = method === "POST" && route.reads !== true;
    const print = createHash("sha256").update(`${method} ${url.pathname} ${text}`).digest("hex");
    if (writes) {
      if (key === null || key.startsWith("stripe-node-retry"))
        throw invalid("A write needs a key of its intent.");
      const earlier = account.replays.get(key);
      if (earlier !== undefined) {
        if (earlier.request === print) return earlier;
        throw new StripeFailure(400, {
          type: "idempotency_error",
          message: "Keys for idempotent requests can only be used with the same parameters.",
        });
      }
    }
    const id = route.path.exec(url.pathname)?.[1] ?? "";
    const answer = answered(() => {
      const params = parseForm(method === "POST" ? text : url.search);
      return route.run({ account, id, params, origin });
    });
    // Stripe keeps an answer for a day whether it is a success or a refusal.
    if (writes && key !== null) account.replays.set(key, { request: print, ...answer });
    return answer;
  } catch (error) {
    return refusalOf(error);
  }
}

function answered(run: () => object): Answer {
  try {
    return { status: 200, body: JSON.stringify(run()) };
  } catch (error) {
    return refusalOf(error);
  }
}

function refusalOf(error: unknown): Answer {
  if (!(error instanceof StripeFailure)) throw error;
  return { status: error.status, body: JSON.stringify(error.body) };
}

function failure(status: number, type: string, message: string): string {
  return JSON.stringify(new StripeFailure(status, { type, message }).body);
}

function send(response: ServerResponse, status: number, body: string): void {
  const again = status === 503 ? { "Stripe-Should-Retry": "false" } : {};
  response
    .writeHead(status, { "Content-Type": "application/json", "Request-Id": "req_double", ...again })
    .end(body);
}
