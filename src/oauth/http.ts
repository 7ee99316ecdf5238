import * as oauth from "oauth4webapi";
import { second } from "../lib/clock.ts";
import { Deadline } from "../lib/deadline.ts";
import { OutboundError, readCapped, type Outbound } from "../lib/outbound.ts";

/** Metadata and token answers are small; what is larger is not read. Bytes, after decompression. */
const answerLimit = 64 * 1024;

/** Milliseconds for an exchange, from the first byte sent to the last received. */
const requestTimeout = 15 * second;

/** An exchange that ended without a whole answer: nobody knows what the other side did. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
  readonly reason: "denied" | "unreachable" | "timeout" | "cut";

  constructor(reason: NoAnswer["reason"]) {
    super(reason);
    this.reason = reason;
  }
}

/** What oauth4webapi hands to its fetch: for the calls that we make, a form, JSON text or nothing. */
interface LibraryRequest {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: URLSearchParams | string | null | undefined;
}

/** The options that every oauth4webapi call gets: our one way out, with our limits. */
export interface HttpOptions {
  readonly [oauth.customFetch]: (url: string, init: LibraryRequest) => Promise<Response>;
  /** The guard of `lib/destination` decides on schemes: http passes on loopback in local mode only. */
  readonly [oauth.allowInsecureRequests]: true;
}

export interface OauthHttp {
  readonly options: HttpOptions;
  /** A GET whose answer is JSON, or undefined for any other answer. Throws NoAnswer. */
  getJson(url: string): Promise<unknown>;
  /** The headers of an answer whose body nobody reads: it may be an endless stream. Throws NoAnswer. */
  headersOf(url: string, init: RequestParts): Promise<Headers>;
  /** Any request, with its body read whole and capped. Throws NoAnswer. */
  request(url: string, init: RequestParts): Promise<Response>;
}

interface RequestParts {
  readonly method: string;
  readonly headers: Headers;
  readonly body?: string;
}

export function createOauthHttp(outbound: Outbound): OauthHttp {
  const send = async (url: string, init: RequestParts, deadline: Deadline): Promise<Response> => {
    try {
      return await outbound(url, { ...init, deadline });
    } catch (error) {
      if (error instanceof OutboundError && error.failure !== "aborted") throw new NoAnswer(error.failure);
      throw error;
    }
  };

  const request: OauthHttp["request"] = async (url, init) => {
    const deadline = new Deadline(requestTimeout);
    const answer = await send(url, init, deadline);
    const bytes = await readCapped(answer, answerLimit);
    deadline.lift();
    if (bytes === undefined) throw new NoAnswer(deadline.expired ? "timeout" : "cut");
    const headers = new Headers(answer.headers);
    headers.delete("content-encoding");
    const hollow = bytes.byteLength === 0 || [101, 204, 205, 304].includes(answer.status);
    return new Response(hollow ? null : bytes, { status: answer.status, headers });
  };
  return {
    request,
    async headersOf(url, init) {
      const deadline = new Deadline(requestTimeout);
      const answer = await send(url, init, deadline);
      deadline.controller.abort();
      return answer.headers;
    },
    async getJson(url) {
      const answer = await request(url, {
        method: "GET",
        headers: new Headers({ accept: "application/json" }),
      });
      if (answer.status !== 200) return undefined;
      try {
        return await answer.json();
      } catch {
        return undefined;
      }
    },
    options: {
      [oauth.customFetch]: async (url, { method, headers, body }) =>
        await request(url, {
          method,
          headers: new Headers(headers),
          ...(body === null || body === undefined ? {} : { body: body.toString() }),
        }),
      [oauth.allowInsecureRequests]: true,
    },
  };
}
