import { once } from "node:events";
import {
  createServer,
  request as requestOf,
  type ClientRequest,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { createGate } from "./gate.ts";

/** The largest header block that is taken, bytes; more than any platform in front of a worker takes. */
const maxHeaderSize = 128 * 1024;

/** How long the worker may go on after its last answer, ms: what it writes then may be a renewed token. */
const afterwork = 250;

export interface FrontOptions {
  readonly port: number;
  /** The port that the worker serves on at this moment. */
  readonly workerPort: () => number;
  /** How long a call may wait while the worker is replaced, ms. */
  readonly holdFor?: number;
  /** How long calls in progress may take to end before the worker is replaced, ms. */
  readonly drainFor?: number;
}

export interface Front {
  /**
   * Replaces the worker without failing a call: new calls wait, those in progress may end, streams that are open for
   * listening are cut (their clients open them again, as after a deployment), then `work` runs and the waiting go on.
   */
  swap<T>(work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** One request and its answer. `listening`: a stream that a client opened to wait, which ends only when it is cut. */
interface Exchange {
  listening: boolean;
  readonly cut: () => void;
}

/**
 * Listens where people expect Bindify and hands everything on to the worker behind it, as it comes: nothing is
 * gathered, changed or logged. A worker that restarts would refuse connections; this one keeps them waiting instead.
 */
export async function startFront(options: FrontOptions): Promise<Front> {
  const { port, workerPort, holdFor = 30_000, drainFor = 10_000 } = options;
  const exchanges = new Set<Exchange>();
  const gate = createGate();

  const server = createServer(
    { maxHeaderSize, requestTimeout: 0, keepAliveTimeout: 30_000 },
    (request, response) => {
      void admit(request, response);
    },
  );
  const admit = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const limit = performance.now() + holdFor;
    // Asked again after each wait: it may have been closed once more in between.
    while (!gate.isOpen()) {
      if (await endsWithin(gate.opened(), limit - performance.now())) continue;
      response.writeHead(503, { "retry-after": "5", "content-type": "text/plain" });
      response.end("The worker is being replaced. Try again.\n");
      return;
    }
    if (response.destroyed) return;
    const exchange: Exchange = { listening: false, cut: () => response.destroy() };
    exchanges.add(exchange);
    response.once("close", () => exchanges.delete(exchange));
    forward(request, response, workerPort(), exchange);
  };

  server.listen({ port, host: "127.0.0.1" });
  await once(server, "listening");
  return {
    swap: (work) =>
      gate.closedFor(async () => {
        await drained(exchanges, drainFor);
        for (const { cut } of exchanges) cut();
        await new Promise((resolve) => setTimeout(resolve, afterwork));
        return await work();
      }),
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function forward(request: IncomingMessage, response: ServerResponse, port: number, exchange: Exchange): void {
  // A connection of its own: workerd closes idle ones without a word, and a call on such a one would be lost.
  const upstream = requestOf({
    host: "127.0.0.1",
    port,
    method: request.method ?? "GET",
    path: request.url ?? "/",
    headers: requestHeaders(request),
    agent: false,
    maxHeaderSize,
  });
  let answered = false;
  upstream.once("response", (answer) => {
    answered = true;
    exchange.listening =
      request.method === "GET" && (answer.headers["content-type"] ?? "").startsWith("text/event-stream");
    pass(answer, response);
  });
  // A worker that answers without reading the whole body closes the connection: the answer counts, and knows its end.
  upstream.on("error", () => {
    if (!answered) fail(response);
  });
  // By a FIN alone Node does not end an answer that is on its way; a client that is gone wants none.
  const leave = () => response.destroy();
  request.socket.once("end", leave);
  response.once("close", () => {
    request.socket.off("end", leave);
    abandon(upstream, response);
  });
  request.on("error", () => upstream.destroy());
  request.pipe(upstream);
}

function abandon(upstream: ClientRequest, response: ServerResponse): void {
  if (!response.writableFinished) upstream.destroy();
}

function pass(answer: IncomingMessage, response: ServerResponse): void {
  response.sendDate = false;
  response.writeHead(
    answer.statusCode ?? 502,
    answer.statusMessage ?? "",
    withoutHopByHop(answer.rawHeaders, ["connection", "keep-alive"]),
  );
  // Node sends the head together with the first bytes of the body, which a quiet event stream may have in minutes.
  response.flushHeaders();
  answer.on("error", () => response.destroy());
  answer.once("close", () => {
    if (!answer.complete) response.destroy();
  });
  answer.pipe(response);
}

function fail(response: ServerResponse): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  response.writeHead(502, { "content-type": "text/plain" });
  response.end("The worker does not answer.\n");
}

/** Names and values exactly as they came. `Connection` is about one connection, and this is another (RFC 9110 §7.6.1). */
function requestHeaders(request: IncomingMessage): string[] {
  const headers = withoutHopByHop(request.rawHeaders, ["connection", "keep-alive"]);
  headers.push("Connection", "close");
  const hasBody = request.headers["content-length"] ?? request.headers["transfer-encoding"];
  // Node would announce a body in chunks for a POST that has none.
  if (hasBody === undefined && !["GET", "HEAD"].includes(request.method ?? ""))
    headers.push("Content-Length", "0");
  return headers;
}

function withoutHopByHop(raw: readonly string[], names: readonly string[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const [name = "", value = ""] = raw.slice(at, at + 2);
    if (!names.includes(name.toLowerCase())) kept.push(name, value);
  }
  return kept;
}

/** Waits until nobody is in the middle of a call, at most `limit` ms. */
async function drained(exchanges: ReadonlySet<Exchange>, limit: number): Promise<void> {
  const end = performance.now() + limit;
  while (performance.now() < end && [...exchanges].some(({ listening }) => !listening)) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function endsWithin(work: Promise<void>, limit: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), limit);
  });
  const ended = await Promise.race([work.then(() => true), late]);
  clearTimeout(timer);
  return ended;
}
