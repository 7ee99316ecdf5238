import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";
import { z } from "zod";
import { fromUtf8 } from "../lib/bytes.ts";
import { minute, second, type Clock } from "../lib/clock.ts";
import { Deadline } from "../lib/deadline.ts";
import { Fault } from "../lib/fault.ts";
import { readCapped, type Outbound } from "../lib/outbound.ts";

/** Keys are read again after this time, ms: one that the issuer took back is refused from then on. */
const keysLast = 10 * minute;
/** Tokens with unknown key ids lead to at most one look in this time, ms. */
const unknownWait = 30 * second;
/** After a look that failed nobody looks again for this time, ms. */
const failureWait = 2 * second;
const timeLimit = 5 * second;
const sizeLimit = 256 * 1024;
/** How often those who wait for another request's look see whether it is there, ms. */
const pollEvery = 20;

const jwksSchema = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) });

interface Known {
  readonly at: number;
  readonly find: JWTVerifyGetKey;
}

/**
 * The keys that an issuer publishes (RFC 7517 §5). Requests of one isolate that come at once make one fetch: the
 * others watch for its result. They wait for no promise of another request, which the platform may end at any time.
 */
export function publishedKeys(
  url: string,
  deps: { readonly outbound: Outbound; readonly clock: Clock },
): JWTVerifyGetKey {
  const { outbound, clock } = deps;
  let known: Known | undefined;
  let lookingSince: number | undefined;
  let lookedAt = Number.NEGATIVE_INFINITY;
  let failedAt = Number.NEGATIVE_INFINITY;

  const look = async (): Promise<Known> => {
    const startedAt = clock();
    lookingSince = startedAt;
    lookedAt = startedAt;
    try {
      known = { at: clock(), find: createLocalJWKSet(await fetchKeys(url, outbound)) };
      return known;
    } catch {
      // The reason is dropped: whoever signs in can do nothing with it but try again.
      failedAt = clock();
      throw new Fault("identity_unavailable", { retryAfter: 2 });
    } finally {
      if (lookingSince === startedAt) lookingSince = undefined;
    }
  };

  /** Keys that were read after `since`, from whoever is at it, or from a look of our own. */
  const newer = async (since: number): Promise<Known> => {
    for (;;) {
      if (known !== undefined && known.at > since) return known;
      if (clock() - failedAt < failureWait) throw new Fault("identity_unavailable", { retryAfter: 2 });
      // One that takes longer than a look may take belonged to a request that is gone.
      const busy = lookingSince !== undefined && clock() - lookingSince < timeLimit + second;
      if (!busy) return await look();
      await new Promise((resolve) => setTimeout(resolve, pollEvery));
    }
  };

  return async (header, token) => {
    const keys = await newer(clock() - keysLast);
    try {
      return await keys.find(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      if (lookingSince === undefined && clock() - lookedAt < unknownWait) throw error;
      const fresh = await newer(keys.at);
      return await fresh.find(header, token);
    }
  };
}

async function fetchKeys(url: string, outbound: Outbound): Promise<JSONWebKeySet> {
  const deadline = new Deadline(timeLimit);
  try {
    const answer = await outbound(url, {
      method: "GET",
      headers: { accept: "application/json, application/jwk-set+json", "user-agent": "bindify" },
      deadline,
    });
    const bytes = await readCapped(answer, sizeLimit);
    if (answer.status !== 200 || bytes === undefined) throw new TypeError("no keys");
    return jwksSchema.parse(JSON.parse(fromUtf8(bytes)));
  } finally {
    deadline.lift();
  }
}
