import type { IncomingMessage, ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { listenOnLoopback, type Listening } from "./listening.ts";

const bomb = gzipSync(Buffer.alloc(20 * 1024 * 1024, 0x20));

/**
 * Servers that are no MCP servers of today: `/html`, `/status/503`, `/redirect`, `/bomb`; the APIs `/viewer` and
 * `/user`, which take the raw key `good-key`; `/legacy`, the opening of HTTP+SSE; and `/open/200`, an MCP server that
 * takes any key, whose every answer but the one to `initialize` has that status and repeats what it was sent.
 */
export async function startOddUpstream(): Promise<Listening> {
  return await listenOnLoopback(0, answer);
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = "";
  for await (const chunk of request) body += String(chunk);
  const { pathname } = new URL(request.url ?? "/", "http://localhost");
  const good = request.headers.authorization === "good-key";
  const reply = (status: number, type: string, text: string | Buffer, more: Record<string, string> = {}) =>
    response.writeHead(status, { "Content-Type": type, ...more }).end(text);
  const json = (status: number, value: unknown, more: Record<string, string> = {}) =>
    reply(status, "application/json", JSON.stringify(value), more);
  const [, name, status] = pathname.split("/");
  if (name === "html") reply(200, "text/html", "<!doctype html><title>Welcome</title><p>Not an MCP server.");
  else if (name === "status") json(Number(status), { error: request.headers });
  else if (name === "redirect") reply(302, "text/plain", "", { Location: "/status/200" });
  else if (name === "bomb") reply(200, "application/json", bomb, { "Content-Encoding": "gzip" });
  // As GraphQL servers answer: 200 in either case.
  else if (name === "viewer") json(200, { data: { viewer: good ? { id: "1" } : null } });
  else if (name === "user") json(good ? 200 : 403, {});
  else if (name === "legacy") answerLegacy(request, response);
  else if (name === "open" && body.includes('"initialize"')) {
    json(200, { jsonrpc: "2.0", id: 1, result: { protocolVersion: "2025-11-25" } });
  } else if (name === "open") {
    const result = { method: request.method, url: request.url, headers: request.rawHeaders, body };
    json(
      Number(status),
      { jsonrpc: "2.0", id: 7, result },
      { Location: `/?${request.rawHeaders.join("&")}` },
    );
  } else json(404, {});
}

/** The opening of HTTP+SSE (2024-11-05), and what its servers say to a POST at the stream's address. */
function answerLegacy(request: IncomingMessage, response: ServerResponse): void {
  if (request.headers.authorization !== "Bearer good-key") response.writeHead(401).end();
  else if (request.method !== "GET") response.writeHead(405).end();
  else {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.write("event: endpoint\ndata: /legacy/messages?session=1\n\n");
  }
}
