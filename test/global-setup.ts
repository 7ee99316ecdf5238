import type { IncomingMessage, ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import type { TestProject } from "vitest/node";
import { startEchoUpstream } from "./support/node/echo-upstream.ts";
import { listenOnLoopback } from "./support/node/listening.ts";

/** Real servers on 127.0.0.1 for the tests that run in workerd. */
export default async function startServers({ provide }: TestProject): Promise<() => Promise<void>> {
  const echo = await startEchoUpstream();
  const odd = await listenOnLoopback(0, answerOddly);
  provide("echoUrl", echo.url);
  provide("oddUrl", odd.url);
  return async () => {
    await Promise.all([echo.close(), odd.close()]);
  };
}

const bomb = gzipSync(Buffer.alloc(20 * 1024 * 1024, 0x20));

/** Servers that are no MCP servers of today, whatever is asked. */
function answerOddly(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  const { pathname } = new URL(request.url ?? "/", "http://localhost");
  const good = request.headers.authorization === "good-key";
  const reply = (status: number, type: string, body: string | Buffer, more: Record<string, string> = {}) =>
    response.writeHead(status, { "Content-Type": type, ...more }).end(body);
  const json = (status: number, value: unknown) => reply(status, "application/json", JSON.stringify(value));
  const [, name, status] = pathname.split("/");
  if (name === "html") reply(200, "text/html", "<!doctype html><title>Welcome</title><p>Not an MCP server.");
  else if (name === "status") json(Number(status), { error: request.headers });
  else if (name === "redirect") reply(302, "text/plain", "", { Location: `/status/200` });
  else if (name === "bomb") reply(200, "application/json", bomb, { "Content-Encoding": "gzip" });
  // As GraphQL servers answer: 200 in either case.
  else if (name === "viewer")
    json(200, good ? { data: { viewer: { id: "1" } } } : { data: { viewer: null } });
  else if (name === "user") json(good ? 200 : 403, {});
  else if (name === "legacy") answerLegacy(request, response);
  else json(404, {});
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
