import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** The same bound as the MCP SDK's own default for a message. */
const bodyLimit = 4 * 1024 * 1024;

class BodyTooLarge extends Error {}

/** Reads a request body of at most `limit` bytes; a longer one throws `BodyTooLarge`. */
export async function readBody(request: IncomingMessage, limit = bodyLimit): Promise<Buffer<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) throw new TypeError("a request body is read as bytes");
    length += chunk.length;
    if (length > limit) throw new BodyTooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function toWebRequest(request: IncomingMessage, origin: string, signal: AbortSignal): Promise<Request> {
  const headers = new Headers();
  for (let at = 0; at + 1 < request.rawHeaders.length; at += 2) {
    headers.append(request.rawHeaders[at] ?? "", request.rawHeaders[at + 1] ?? "");
  }
  const method = request.method ?? "GET";
  const body = method === "GET" || method === "HEAD" ? undefined : await readBody(request);
  return new Request(new URL(request.url ?? "/", origin), {
    method,
    headers,
    signal,
    ...(body === undefined || body.length === 0 ? {} : { body }),
  });
}

export async function sendWebResponse(response: Response, to: ServerResponse): Promise<void> {
  to.writeHead(response.status, Object.fromEntries(response.headers));
  if (response.body === null) {
    to.end();
    return;
  }
  // An event stream may stay silent for a while, and a client waits for its headers meanwhile.
  to.flushHeaders();
  try {
    await pipeline(Readable.fromWeb(response.body), to);
  } catch (error) {
    // A client that left is the ordinary end of an event stream; the pipeline has cancelled the source.
    if (!to.destroyed) throw error;
  }
}

/** Serves one Node request with a web-standard handler; the request's signal aborts when the client leaves. */
export async function serveWeb(
  request: IncomingMessage,
  response: ServerResponse,
  origin: string,
  handle: (request: Request) => Promise<Response>,
): Promise<void> {
  const abort = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) abort.abort();
  });
  let web: Request;
  try {
    web = await toWebRequest(request, origin, abort.signal);
  } catch (error) {
    if (request.destroyed && !(error instanceof BodyTooLarge)) return;
    if (!(error instanceof BodyTooLarge)) throw error;
    response.writeHead(413, { Connection: "close" }).end("The message is longer than 4 MiB.");
    return;
  }
  await sendWebResponse(await handle(web), response);
}
