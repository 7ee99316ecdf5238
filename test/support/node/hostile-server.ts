import type { IncomingMessage, ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import type { Canned, Received, Routes } from "../canned.ts";
import { listenOnLoopback } from "./listening.ts";

export interface HostileServer {
  /** Origin, without a slash at the end. */
  url: string;
  close(): Promise<void>;
}

/** Larger than anything that an exchange may answer. */
const chunk = Buffer.alloc(64 * 1024, " ");

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const part of request) {
    if (!Buffer.isBuffer(part)) throw new TypeError("a request body is read as bytes");
    chunks.push(part);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function send(canned: Canned, response: ServerResponse): void {
  const { status = 200, headers = {}, json, text = "", padding = 0, gzip = false } = canned;
  const body = json === undefined ? text : JSON.stringify(json);
  const type = { "content-type": json === undefined ? "text/html" : "application/json" };
  if (gzip) {
    const packed = gzipSync(Buffer.concat([Buffer.alloc(padding, " "), Buffer.from(body)]));
    response.writeHead(status, { ...type, "content-encoding": "gzip", ...headers }).end(packed);
    return;
  }
  response.writeHead(status, { ...type, ...headers });
  for (let sent = 0; sent < padding; sent += chunk.length) response.write(chunk);
  response.end(body);
}

/**
 * A server that answers each route with what a test told it: `PUT /_/routes` with `"METHOD /path"` → answer. Whatever
 * is not named is 404. `GET /_/requests?part=` lists the requests whose path contains the part.
 */
export async function startHostileServer(): Promise<HostileServer> {
  const routes = new Map<string, Canned>();
  const received: Received[] = [];

  async function control(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    if (request.method === "PUT") {
      const told: Routes = JSON.parse(await bodyOf(request));
      for (const [route, canned] of Object.entries(told)) routes.set(route, canned);
      response.writeHead(204).end();
      return;
    }
    const part = url.searchParams.get("part") ?? "";
    send({ json: received.filter(({ path }) => path.includes(part)) }, response);
  }

  const listening = await listenOnLoopback(0, async (request, response) => {
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    if (url.pathname.startsWith("/_/")) return await control(request, response, url);
    const record: Received = {
      method: request.method ?? "",
      path: url.pathname,
      query: url.search,
      headers: Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
      ),
      body: await bodyOf(request),
    };
    received.push(record);
    const canned = routes.get(`${record.method} ${record.path}`);
    if (canned === undefined) return send({ status: 404, json: { error: "not_found" } }, response);
    const { authorized } = canned;
    const chosen =
      authorized !== undefined && request.headers.authorization !== undefined ? authorized : canned;
    if (chosen.hang === true) return;
    if (chosen.reset === true) return void request.socket.resetAndDestroy();
    send(chosen, response);
  });
  return { url: listening.url, close: () => listening.close() };
}
