import type Stripe from "stripe";
import { toHex, utf8 } from "../lib/bytes.ts";
import { second } from "../lib/clock.ts";
import { Deadline } from "../lib/deadline.ts";
import { Fault } from "../lib/fault.ts";
import { readCapped, type Outbound } from "../lib/outbound.ts";

/** Makes a client of Stripe's API. */
export type StripeClient = () => Promise<Stripe>;

const timeout = 20 * second;
/** A page of subscriptions is some hundred kilobytes at most. */
const answerLimit = 4 * 1024 * 1024;

interface StripeAccount {
  readonly secretKey: string;
  /** Another address than Stripe's own: a double on this machine. */
  readonly apiUrl: string | undefined;
}

/**
 * A client that goes out through our one way out, with the version that the SDK was made for. The SDK is loaded by who
 * needs it: a deployment without billing never does. Nothing is shared between requests.
 */
export function createStripeClient(account: StripeAccount, outbound: Outbound): StripeClient {
  const address = account.apiUrl === undefined ? {} : addressOf(account.apiUrl);
  return async () => {
    const { default: Sdk } = await import("stripe");
    return new Sdk(account.secretKey, {
      ...address,
      httpClient: Sdk.createFetchHttpClient(sendThrough(outbound)),
      timeout,
      maxNetworkRetries: 1,
      telemetry: false,
    });
  };
}

/** Checks an event's signature over the bytes that came, each `v1` of it, at most five minutes old. */
export async function verifySignature(
  payload: string,
  signature: string,
  secret: string,
): Promise<Stripe.Event | undefined> {
  const { default: Sdk } = await import("stripe");
  const crypto = Sdk.createSubtleCryptoProvider();
  try {
    return await Sdk.webhooks.constructEventAsync(payload, signature, secret, 300, crypto);
  } catch {
    // The SDK's error quotes the payload, so it goes no further.
    return undefined;
  }
}

/** What `Stripe.createFetchHttpClient` wants: the shape of the platform's own function. */
function sendThrough(outbound: Outbound) {
  return async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const deadline = new Deadline(timeout);
    const abort = () => deadline.controller.abort();
    init.signal?.addEventListener("abort", abort);
    try {
      const answer = await outbound(input instanceof Request ? input.url : String(input), {
        method: init.method ?? "GET",
        headers: new Headers(init.headers),
        body: typeof init.body === "string" ? init.body : null,
        deadline,
      });
      const body = await readCapped(answer, answerLimit);
      return new Response(body ?? null, { status: answer.status, headers: answer.headers });
    } finally {
      init.signal?.removeEventListener("abort", abort);
      deadline.lift();
    }
  };
}

function addressOf(url: string): { protocol: "http" | "https"; host: string; port: string } {
  const { protocol, hostname, port } = new URL(url);
  return { protocol: protocol === "http:" ? "http" : "https", host: hostname, port };
}

/**
 * A key for one intent (https://docs.stripe.com/api/idempotent_requests): asked again it gives the first answer. What
 * is asked is part of it, because Stripe refuses a key that comes with other parameters.
 */
export async function idempotencyKey(intent: string, params: object): Promise<string> {
  const text = JSON.stringify([intent, params]);
  return `bindify-${toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(text)))).slice(0, 40)}`;
}

/** What the SDK's errors say of themselves: `type` is the class, `code` Stripe's own. */
function stripeErrorOf(error: unknown): { type: string; code: string | undefined } | undefined {
  if (!(error instanceof Error) || !("type" in error) || typeof error.type !== "string") return undefined;
  if (!error.type.startsWith("Stripe")) return undefined;
  return {
    type: error.type,
    code: "code" in error && typeof error.code === "string" ? error.code : undefined,
  };
}

/** This account has no such object: it never had, or it is gone. A deleted customer is not missing. */
export function isMissing(error: unknown): boolean {
  return stripeErrorOf(error)?.code === "resource_missing";
}

/** What was asked has ended so, and under the same key Stripe gives this answer for a day. */
export function isFinal(error: unknown): boolean {
  const type = stripeErrorOf(error)?.type ?? "";
  return type === "StripeCardError" || type === "StripeInvalidRequestError" || type === "StripeAPIError";
}

/** Whatever is asked next fails too: no answer, a fault of Stripe's, too many questions, or a key that is refused. */
export function isOutage(error: unknown): boolean {
  const type = stripeErrorOf(error)?.type;
  return type !== undefined && type !== "StripeCardError" && type !== "StripeInvalidRequestError";
}

/** Turns an error of the SDK into what the person is told; others stay what they are. */
export function stripeFault(error: unknown): unknown {
  const known = stripeErrorOf(error);
  if (known === undefined) return error;
  if (known.type === "StripeCardError") return new Fault("payment_refused");
  if (known.type === "StripeInvalidRequestError") return new Fault("billing_rejected");
  return new Fault("billing_unavailable", { retryAfter: 30 });
}
