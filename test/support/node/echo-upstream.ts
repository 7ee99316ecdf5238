import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { answerMcp, behaviours, type Call, early, parse } from "./echo-behaviours.ts";
import { listenOnLoopback } from "./listening.ts";

interface RecordedRequest {
  method: string;
  /** Path and query as they arrived. */
  url: string;
  /** Which behaviour answered: `/mcp`, or the first segment of a path. */
  behaviour: string;
  /** Lower-case names. */
  headers: Record<string, string | string[]>;
  rawHeaders: string[];
  /** At most the first 64 KiB. */
  body: string;
  bodyLength: number;
  bodySha256: string;
  /** The client left before the answer was complete. */
  aborted: boolean;
  finished: boolean;
}

export interface EchoUpstream {
  /** Origin, without a slash at the end. */
  url: string;
  requests: RecordedRequest[];
  /** Requests of a behaviour (all of them without one) whose client left early. */
  aborted(behaviour?: string): number;
  /** Waits for the number of aborts; throws after `ms`. */
  untilAborted(count: number, behaviour?: string, ms?: number): Promise<void>;
  /** The next request is answered as this path says, whatever its own; calls queue up. */
  next(...paths: string[]): void;
  /** Every request is answered as this path says, until it is called without one. */
  always(path?: string): void;
  clear(): void;
  close(): Promise<void>;
}

const keptBody = 64 * 1024;

async function readInto(record: RecordedRequest, request: IncomingMessage): Promise<void> {
  const digest = createHash("sha256");
  const kept: Buffer[] = [];
  let keptLength = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) throw new TypeError("a request body is read as bytes");
    digest.update(chunk);
    record.bodyLength += chunk.length;
    if (keptLength >= keptBody) continue;
    kept.push(chunk);
    keptLength += chunk.length;
  }
  record.body = Buffer.concat(kept).subarray(0, keptBody).toString("utf8");
  record.bodySha256 = digest.digest("hex");
}

function isInitialize(body: string): boolean {
  const message = parse(body);
  return (
    typeof message === "object" && message !== null && "method" in message && message.method === "initialize"
  );
}

/**
 * An upstream that misbehaves on demand and records what reaches it.
 *
 * What it does comes from `next()`, else `always()`, else the request header `Mcp-Param-Behave` (which the
 * proxy forwards), else the request's own path, whose `initialize` is however always answered as MCP so that a
 * connection to `/stall` can be made. Anything else than a known path is an MCP endpoint.
 * Tests that run in workerd drive it over HTTP: `GET /_/requests`, `POST /_/next?path=`, `/_/always?path=`, `/_/clear`.
 */
export async function startEchoUpstream(
  options: { port?: number; key?: string } = {},
): Promise<EchoUpstream> {
  const expected = `Bearer ${options.key ?? "good-key"}`;
  const requests: RecordedRequest[] = [];
  const queue: string[] = [];
  let standing: string | undefined;

  function control(response: ServerResponse, url: URL): void {
    const path = url.searchParams.get("path");
    if (url.pathname === "/_/next" && path !== null) queue.push(path);
    else if (url.pathname === "/_/always") standing = path ?? undefined;
    else if (url.pathname === "/_/clear") upstream.clear();
    response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(requests));
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const own = new URL(request.url ?? "/", listening.url);
    if (own.pathname.startsWith("/_/")) {
      control(response, own);
      return;
    }
    const header = request.headers["mcp-param-behave"];
    const told = queue.shift() ?? standing ?? (typeof header === "string" ? header : undefined);
    const target = told === undefined ? own : new URL(told, listening.url);
    const [, name = "", ...rest] = target.pathname.split("/");
    const record: RecordedRequest = {
      method: request.method ?? "",
      url: request.url ?? "",
      behaviour: `/${name}`,
      headers: Object.fromEntries(
        Object.entries(request.headers).flatMap(([key, value]) =>
          value === undefined ? [] : [[key, value]],
        ),
      ),
      rawHeaders: request.rawHeaders,
      body: "",
      bodyLength: 0,
      bodySha256: "",
      aborted: false,
      finished: false,
    };
    requests.push(record);
    const leave = new AbortController();
    response.once("close", () => {
      record.finished = response.writableFinished;
      record.aborted = !response.writableFinished;
      if (record.aborted) leave.abort();
    });
    const call = (): Call => ({
      request,
      response,
      query: target.searchParams,
      rest: rest.join("/"),
      body: { text: record.body, length: record.bodyLength, sha256: record.bodySha256 },
      left: leave.signal,
    });
    const atOnce = early[name];
    if (atOnce) {
      await atOnce(call());
      return;
    }
    try {
      await readInto(record, request);
    } catch (error) {
      // The client gave up while it was sending: recorded as an abort, and there is nobody to answer.
      if (request.destroyed) return;
      throw error;
    }
    const behaviour = behaviours[name];
    if (behaviour && (told !== undefined || !isInitialize(record.body))) await behaviour(call());
    else answerMcp(call(), request.headers.authorization === expected);
  }

  const listening = await listenOnLoopback(options.port ?? 0, serve);
  const upstream: EchoUpstream = {
    url: listening.url,
    requests,
    aborted: (behaviour) =>
      requests.filter((record) => record.aborted && record.behaviour === (behaviour ?? record.behaviour))
        .length,
    untilAborted: async (count, behaviour, ms = 15_000) => {
      const deadline = Date.now() + ms;
      while (upstream.aborted(behaviour) < count) {
        if (Date.now() > deadline) {
          throw new Error(`${upstream.aborted(behaviour)} of ${count} requests aborted after ${ms} ms`);
        }
        await pause(10);
      }
    },
    next: (...paths) => {
      queue.push(...paths);
    },
    always: (path) => {
      standing = path;
    },
    clear: () => {
      requests.length = 0;
      queue.length = 0;
      standing = undefined;
    },
    close: () => listening.close(),
  };
  return upstream;
}
