// The MCP server behind every row, in a process of its own. Which answer it gives is chosen by the `Mcp-Name`
// header, because the path of an upstream is fixed by its connection and Mcp-* headers pass every row.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

const megabyte = 1024 * 1024;
const chunk = Buffer.alloc(64 * 1024, "x");

const answer = (authorized: boolean) =>
  Buffer.from(
    JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      result: { content: [{ type: "text", text: "The quick brown fox. ".repeat(8) }], authorized },
    }),
  );
const answers = { yes: answer(true), no: answer(false) };

const authorization = `Bearer ${process.env["BENCH_UPSTREAM_KEY"] ?? ""}`;
const isAuthorized = (request: IncomingMessage): boolean => request.headers.authorization === authorization;

async function read(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
}

function json(response: ServerResponse, status: number, body: Buffer): void {
  response.writeHead(status, { "content-type": "application/json", "content-length": body.length });
  response.end(body);
}

/** The handshake a proxy may make before it accepts a key; it alone insists on the key. */
async function handshake(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await read(request);
  if (!isAuthorized(request)) {
    json(response, 401, Buffer.from(`{"error":"unauthorized"}`));
    return;
  }
  if (request.method !== "POST") {
    response.writeHead(405, { allow: "POST" }).end();
    return;
  }
  const message: { id?: unknown; method?: string; params?: { protocolVersion?: string } } = JSON.parse(
    body.toString("utf8"),
  );
  if (message.id === undefined) {
    response.writeHead(202).end();
    return;
  }
  const reply =
    message.method === "initialize"
      ? {
          result: {
            protocolVersion: message.params?.protocolVersion ?? "2025-11-25",
            capabilities: { tools: {} },
            serverInfo: { name: "bench", version: "1.0.0" },
          },
        }
      : message.method === "tools/list"
        ? { result: { tools: [] } }
        : message.method === "ping"
          ? { result: {} }
          : { error: { code: -32601, message: "Method not found" } };
  const status = "error" in reply ? 404 : 200;
  json(response, status, Buffer.from(JSON.stringify({ jsonrpc: "2.0", id: message.id, ...reply })));
}

function stream(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  response.write(`event: message\ndata: {"jsonrpc":"2.0","method":"notifications/progress"}\n\n`);
  // A worker that gathers the stream before it answers shows these 5 ms in its time to first event.
  setTimeout(() => response.end(`event: message\ndata: {"jsonrpc":"2.0","id":1,"result":{}}\n\n`), 5);
}

function* chunks(size: number): Generator<Buffer> {
  for (let left = size; left > 0; left -= chunk.length) yield chunk.subarray(0, left);
}

async function download(request: IncomingMessage, response: ServerResponse, size: number): Promise<void> {
  request.resume();
  response.writeHead(200, { "content-type": "application/json", "content-length": size });
  await pipeline(Readable.from(chunks(size)), response);
}

async function upload(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let received = 0;
  for await (const part of request) received += part.length;
  json(response, 200, Buffer.from(JSON.stringify({ jsonrpc: "2.0", id: 1, result: { received } })));
}

const kinds: Record<string, (request: IncomingMessage, response: ServerResponse) => Promise<void> | void> = {
  json: (request, response) => {
    request.resume();
    json(response, 200, isAuthorized(request) ? answers.yes : answers.no);
  },
  sse: stream,
  "download-10": (request, response) => download(request, response, 10 * megabyte),
  "download-100": (request, response) => download(request, response, 100 * megabyte),
  upload,
};

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const kind = kinds[String(request.headers["mcp-name"])] ?? handshake;
  await kind(request, response);
}

const server = createServer((request, response) => {
  handle(request, response).catch((error: unknown) => {
    response.destroy(error instanceof Error ? error : new Error("upstream failed"));
  });
});
server.keepAliveTimeout = 600_000;
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.send?.(typeof address === "object" ? address?.port : undefined);
});
process.once("disconnect", () => process.exit(0));
process.once("SIGINT", () => process.exit(0));
