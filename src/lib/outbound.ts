import type { Deadline } from "./deadline.ts";
import { checkDestination, type DestinationPolicy } from "./destination.ts";

/** Why a request got no answer. What the person is told must not depend on which it was, save for `timeout`. */
export type OutboundFailure = "denied" | "unreachable" | "timeout" | "aborted";

export class OutboundError extends Error {
  override readonly name = "OutboundError";
  readonly failure: OutboundFailure;

  constructor(failure: OutboundFailure) {
    super(failure);
    this.failure = failure;
  }
}

export interface OutboundRequest {
  readonly method: string;
  readonly headers: HeadersInit;
  readonly body?: ReadableStream | ArrayBuffer | Uint8Array<ArrayBuffer> | string | null;
  /** Ends the request and its response: when its time is up, or when the caller aborts it. */
  readonly deadline: Deadline;
}

/** The only way out: every request of the worker to another server passes here, and `fetch` is called nowhere else. */
export type Outbound = (url: string, request: OutboundRequest) => Promise<Response>;

export function createOutbound(policy: DestinationPolicy): Outbound {
  const allowed = rememberAllowed(policy);
  return async (target, request) => {
    if (!allowed(target)) throw new OutboundError("denied");
    const { controller } = request.deadline;
    try {
      // A followed redirect would carry X-API-Key and Cookie to another origin (they are not stripped by workerd).
      // The text itself is fetched, not the parsed URL: what the definition says goes out byte for byte.
      return await fetch(target, {
        method: request.method,
        headers: request.headers,
        body: request.body ?? null,
        redirect: "manual",
        signal: controller.signal,
      });
    } catch {
      // The cause is dropped on purpose: its message may hold the URL.
      if (request.deadline.expired) throw new OutboundError("timeout");
      throw new OutboundError(controller.signal.aborted ? "aborted" : "unreachable");
    }
  };
}

/** Addresses found allowed, at most; the verdict on a text never changes, and each call of a connection asks again. */
const rememberedAddresses = 1000;

function rememberAllowed(policy: DestinationPolicy): (target: string) => boolean {
  const known = new Set<string>();
  return (target) => {
    if (known.has(target)) return true;
    const { ok } = checkDestination(target, policy);
    if (!ok) return false;
    if (known.size >= rememberedAddresses) known.clear();
    known.add(target);
    return true;
  };
}

/**
 * Reads a body of at most `limit` bytes as text, counted after decompression; a larger one, or one that ends in
 * an error, is `undefined`, and the rest is not read.
 */
export async function readCapped(
  message: { readonly body: ReadableStream<Uint8Array> | null },
  limit: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (message.body === null) return new Uint8Array(0);
  const reader = message.body.getReader();
  const whole = new Uint8Array(limit);
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return whole.slice(0, length);
      if (length + value.byteLength > limit) {
        await reader.cancel();
        return undefined;
      }
      whole.set(value, length);
      length += value.byteLength;
    }
  } catch {
    return undefined;
  }
}
