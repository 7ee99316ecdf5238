import { concat } from "../lib/bytes.ts";
import { second } from "../lib/clock.ts";
import { Deadline } from "../lib/deadline.ts";
import { Fault } from "../lib/fault.ts";
import { OutboundError, type Outbound } from "../lib/outbound.ts";
import { ensureFresh, renewNow } from "../grants/ensure-fresh.ts";
import type { Grant } from "../grants/grant.ts";
import type { RefreshDeps } from "../grants/held.ts";
import { readChallenge } from "../oauth/challenge.ts";
import type { Connections } from "../store/connections.ts";
import type { Admitted } from "./admit.ts";
import type { RequestBody } from "./body.ts";
import { relayEvents, relayTimes } from "./event-stream.ts";
import { clientHeaders, upstreamHeaders } from "./headers.ts";
import { endpointEvent, openEndpoint, readEndpointEvent } from "./legacy-sse.ts";
import type { McpAddress } from "./route.ts";
import { watchStream } from "./stream-watch.ts";

/** Bytes. */
const shortAnswer = 64 * 1024;

export interface ForwardDeps extends RefreshDeps {
  readonly outbound: Outbound;
  readonly stores: RefreshDeps["stores"] & { readonly connections: Pick<Connections, "activeAmong"> };
  readonly times: {
    /** ms until the answer's headers, and ms for a whole answer that is not an event stream. */
    readonly headers: number;
    readonly response: number;
  };
  readonly streamCheckBudget: number;
}

interface Call {
  readonly request: Request;
  readonly address: McpAddress;
  readonly body: RequestBody;
  readonly admitted: Admitted;
}

/** Sends an admitted request to the service and hands its answer back: bytes untouched, at flat memory. */
export async function forward(received: Call, deps: ForwardDeps): Promise<Response> {
  const call = await withFreshGrant(received, deps);
  const { request, address, admitted } = call;
  const { grant } = admitted;
  const expectsStream = isEventStreamLeg(address, request.method, grant.transport);
  const target =
    address.leg === "messages"
      ? await openEndpoint(new URL(request.url).searchParams.get("e"), admitted, deps.environment)
      : grant.url;

  const deadline = new Deadline(deps.times.headers);
  const { answer, grant: used } = await sendRenewing(target, call, deps, deadline);
  if (answer.status >= 300 && answer.status < 400) throw new Fault("upstream_redirected");
  if (answer.status === 403) refuseForScope(answer, { row: admitted.row, grant: used }, deps);

  const headers = clientHeaders(answer.headers);
  if (answer.body === null) return new Response(null, { status: answer.status, headers });
  if (!isEventStream(answer)) {
    const init = { status: answer.status, headers };
    if (isShort(answer)) return new Response(answer.body, init);
    deadline.move(deps.times.response);
    return new Response(timed(answer.body, deadline), init);
  }

  const source = answer.body.getReader();
  const prefix = expectsStream ? await rewriteFirstEvent(source, call, deps) : undefined;
  deadline.lift();
  const watch = watchStream(admitted.row.id, deps.streamCheckBudget, deps.stores.connections, deps.clock);
  const events = relayEvents(source, { watch, clock: deps.clock, times: relayTimes, prefix });
  return new Response(events, { status: answer.status, headers });
}

/** The same call where the grant is a key or its token is fresh, as most are. */
async function withFreshGrant(call: Call, deps: ForwardDeps): Promise<Call> {
  const { admitted } = call;
  const held = await ensureFresh(admitted, admitted.row, deps);
  return held === admitted ? call : { ...call, admitted: { ...admitted, ...held } };
}

/** The event stream of HTTP+SSE: `GET …/sse`, or `GET` of the address itself where the service speaks only that. */
function isEventStreamLeg(address: McpAddress, method: string, transport: "http" | "sse"): boolean {
  if (transport === "http") {
    if (address.leg !== "stream") throw new Fault("wrong_transport");
    return false;
  }
  if (address.leg === "messages") {
    if (method !== "POST") throw new Fault("method_not_allowed", { params: { allow: "POST" } });
    return false;
  }
  // Clients try streamable HTTP first and fall back to HTTP+SSE on a plain 405 (MCP 2025-03-26, Transports).
  if (method !== "GET") throw new Fault("method_not_allowed", { params: { allow: "GET" } });
  return true;
}

/**
 * Sends, and where an OAuth service refuses the access token, renews it and sends once more, if the body was kept.
 * A streamed body cannot be sent again: then the next call finds the renewed token.
 */
async function sendRenewing(
  target: string,
  call: Call,
  deps: ForwardDeps,
  deadline: Deadline,
): Promise<{ readonly answer: Response; readonly grant: Grant }> {
  const answer = await send(target, call, deps, deadline);
  if (answer.status !== 401) return { answer, grant: call.admitted.grant };
  await answer.body?.cancel();
  const { admitted, body } = call;
  if (admitted.grant.kind === "key") throw new Fault("upstream_rejected");
  if (admitted.grant.refresh_token === undefined) throw new Fault("reauthorize_required");
  if (body.forwarded !== null && body.kept === undefined) {
    deps.defer("refresh", renewNow(admitted, deps));
    throw new Fault("refresh_delayed", { retryAfter: 1 });
  }
  const renewed = await renewNow(admitted, deps);
  const again = await send(target, { ...call, admitted: { ...admitted, ...renewed } }, deps, deadline);
  if (again.status !== 401) return { answer: again, grant: renewed.grant };
  await again.body?.cancel();
  throw new Fault("reauthorize_required");
}

/** RFC 6750 §3.1 `insufficient_scope`: noted for the next sign-in, and told as a sentence. */
function refuseForScope(
  answer: Response,
  { grant, row }: Pick<Admitted, "grant" | "row">,
  deps: ForwardDeps,
): void {
  const challenge = readChallenge(answer.headers);
  if (grant.kind !== "oauth" || challenge.error !== "insufficient_scope") return;
  // It is stored and shown in clear: a service that repeats the token there said nothing of a scope.
  if (challenge.scope !== undefined && !challenge.scope.includes(grant.secret)) {
    deps.defer("want_scope", deps.stores.grants.wantScope(row.id, challenge.scope.slice(0, 1000)));
  }
  throw new Fault("more_access_required");
}

async function send(target: string, call: Call, deps: ForwardDeps, deadline: Deadline): Promise<Response> {
  const { request, body, admitted } = call;
  for (const signal of [request.signal, body.exceeded]) {
    if (signal?.aborted) deadline.controller.abort();
    signal?.addEventListener("abort", () => deadline.controller.abort(), { once: true });
  }
  try {
    return await deps.outbound(target, {
      method: request.method,
      headers: upstreamHeaders(request.headers, admitted.grant),
      body: body.forwarded,
      deadline,
    });
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    if (error.failure !== "timeout") throw new Fault("upstream_unreachable");
    throw new Fault("upstream_timeout", { params: { limit: `${deps.times.headers / second} seconds` } });
  }
}

async function rewriteFirstEvent(
  source: ReadableStreamDefaultReader<Uint8Array>,
  call: Call,
  deps: ForwardDeps,
): Promise<Uint8Array> {
  const { admitted, request } = call;
  const first = await readEndpointEvent(source, admitted.grant.url);
  const path = new URL(request.url).pathname.replace(/\/sse$/, "");
  const event = await endpointEvent(
    first.endpoint,
    `${path}/messages`,
    admitted,
    deps.environment,
    deps.random,
  );
  return concat(first.before, event, first.after);
}

function isEventStream(answer: Response): boolean {
  return answer.headers.get("content-type")?.toLowerCase().startsWith("text/event-stream") ?? false;
}

/**
 * A declared length that fits the buffers on the way holds nothing worth a time limit of ours; the client's own and
 * the platform's are enough, and most answers are of this kind.
 */
function isShort(answer: Response): boolean {
  const length = answer.headers.get("content-length");
  return length !== null && Number(length) <= shortAnswer;
}

/**
 * The same bytes, and an end to waiting for them. A body that is handed back as it came leaves its invocation when
 * the response is returned, and the timers stay behind; piped through, it keeps both alive, and still no byte of it
 * passes through JavaScript.
 */
function timed(body: ReadableStream<Uint8Array>, deadline: Deadline): ReadableStream<Uint8Array> {
  const { readable, writable } = new IdentityTransformStream();
  void pass(body, writable, deadline);
  return readable;
}

async function pass(
  body: ReadableStream<Uint8Array>,
  writable: WritableStream<Uint8Array>,
  deadline: Deadline,
): Promise<void> {
  try {
    await body.pipeTo(writable, { preventAbort: true });
  } catch {
    // The service broke off, time is up, or the client left. An error would leave an exception with this invocation's
    // URL in the platform's log; JSON without its end is noticed by every client.
    await Promise.allSettled([writable.close()]);
  } finally {
    deadline.lift();
  }
}
