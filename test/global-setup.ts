import type { IncomingMessage, ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import type { TestProject } from "vitest/node";
import { startEchoUpstream } from "./support/node/echo-upstream.ts";
import { startLegacySseServer } from "./support/node/legacy-sse-server.ts";
import { listenOnLoopback } from "./support/node/listening.ts";

/** Real servers on 127.0.0.1 for the tests that run in workerd. */
export default async function startServers({ provide }: TestProject): Promise<() => Promise<void>> {
  const echo = await startEchoUpstream();
  const legacy = await startLegacySseServer({ apiKey: "good-key" });
  const odd = await listenOnLoopback(0, answerOddly);
  provide("echoUrl", echo.url);
  provide("legacyUrl", legacy.url);
  provide("oddUrl", odd.url);
  return async () => {
    await Promise.all([echo.close(), legacy.close(), odd.close()]);
  };
}

const bomb = gzipSync(Buffer.alloc(20 * 1024 * 1024, 0x20));

/** Servers that are no MCP servers, whatever is asked. */
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
  else if (name === "viewer") json(200, good ? { data: { viewer: { id: "1" } } } : { data: { viewer: null } });
  else if (name === "user") json(good ? 200 : 403, {});
  else json(404, {});
}
