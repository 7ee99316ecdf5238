import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { sendEvents } from "./echo-sse.ts";

export interface Call {
  request: IncomingMessage;
  response: ServerResponse;
  query: URLSearchParams;
  /** The part of the path after the behaviour's name. */
  rest: string;
  /** What was read of the body: at most 64 KiB of text, and the whole's length and digest. */
  body: { text: string; length: number; sha256: string };
  /** Aborts when the client leaves. */
  left: AbortSignal;
}

type Behaviour = (call: Call) => Promise<void> | void;

function json(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
) {
  response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(JSON.stringify(value));
}

/** `?mb=` mebibytes, as fast as the client takes them; `?chunked` leaves the length out. */
async function large({ response, query, left }: Call): Promise<void> {
  const chunk = Buffer.alloc(64 * 1024, "0123456789abcdef");
  const count = Number(query.get("mb") ?? 10) * 16;
  const length = { "Content-Length": count * chunk.length };
  response.writeHead(200, {
    "Content-Type": "application/octet-stream",
    ...(!query.has("chunked") && length),
  });
  for (let sent = 0; sent < count && !left.aborted; sent++) {
    if (response.write(chunk)) continue;
    try {
      await once(response, "drain", { signal: left });
    } catch (error) {
      if (!left.aborted) throw error;
    }
  }
  response.end();
}

/** `?bytes=` single bytes, one every `?every=` ms. */
async function drip({ response, query, left }: Call): Promise<void> {
  response.writeHead(200, { "Content-Type": "application/octet-stream" });
  for (let sent = 0; sent < Number(query.get("bytes") ?? 20) && !left.aborted; sent++) {
    response.write(".");
    await pause(Number(query.get("every") ?? 20));
  }
  response.end();
}

const initializeResult = {
  protocolVersion: "2025-11-25",
  capabilities: { tools: {} },
  serverInfo: { name: "echo-upstream", version: "1.0.0" },
};

/** Just enough of MCP for a connection to be validated and used. */
export function answerMcp({ request, response, body }: Call, authorized: boolean): void {
  if (!authorized) {
    const metadata = `http://${request.headers.host ?? ""}/.well-known/oauth-protected-resource/mcp`;
    const challenge = `Bearer error="invalid_token", resource_metadata="${metadata}"`;
    json(response, 401, { error: "invalid_token" }, { "WWW-Authenticate": challenge });
    return;
  }
  if (request.method === "DELETE") {
    response.writeHead(200).end();
    return;
  }
  const message: unknown = request.method === "POST" ? parse(body.text) : undefined;
  if (typeof message !== "object" || message === null || !("method" in message)) {
    json(response, request.method === "POST" ? 400 : 405, { error: "not a message" }, { Allow: "POST" });
    return;
  }
  if (!("id" in message)) {
    response.writeHead(202).end();
    return;
  }
  const { id, method } = message;
  const answer = (result: unknown) => json(response, 200, { jsonrpc: "2.0", id, result });
  if (method === "initialize") answer(initializeResult);
  else if (method === "ping") answer({});
  else if (method === "tools/list") answer({ tools: [{ name: "noop", inputSchema: { type: "object" } }] });
  else if (method === "tools/call") answer({ content: [{ type: "text", text: "done" }] });
  else {
    json(response, 404, { jsonrpc: "2.0", id, error: { code: -32_601, message: "Method not found" } });
  }
}

export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export const behaviours: Record<string, Behaviour> = {
  echo: ({ request, response, body }) => {
    const { method, url, rawHeaders } = request;
    json(response, 200, { method, url, rawHeaders, sha256: body.sha256, length: body.length });
  },
  upload: ({ response, body }) => json(response, 200, { sha256: body.sha256, length: body.length }),
  status: ({ response, rest, query }) => {
    const status = Number(rest);
    const headers = Object.fromEntries([...query].map(([name, value]) => [name, value]));
    if (status === 204 || status === 304) response.writeHead(status, headers).end();
    else json(response, status, { status }, headers);
  },
  redirect: ({ response, query }) => {
    response.writeHead(Number(query.get("code") ?? 302), { Location: query.get("to") ?? "/echo" }).end();
  },
  sse: ({ response, query, left }) => sendEvents(response, query, left),
  hang: () => {},
  stall: ({ response, query }) => {
    response.writeHead(200, { "Content-Type": query.get("type") ?? "application/json" }).flushHeaders();
  },
  delay: async ({ response, query }) => {
    await pause(Number(query.get("ms") ?? 100));
    json(response, 200, { delayed: true });
  },
  drip,
  large,
  cookie: ({ response }) => {
    response
      .writeHead(200, {
        "Content-Type": "application/json",
        "Set-Cookie": ["session=upstream; Path=/; HttpOnly", "second=1"],
        "WWW-Authenticate": 'Bearer resource_metadata="https://elsewhere.example/prm"',
        "Mcp-Session-Id": "session-of-upstream",
        "Retry-After": "7",
        "Cache-Control": "no-store",
        "Keep-Alive": "timeout=5",
        "X-Upstream": "kept?",
      })
      .end("{}");
  },
  /** Echoes the credential, as a careless error page does; `?status=` chooses the status. */
  leak: ({ request, response, query }) => {
    const error = `Received ${JSON.stringify(request.headers)}`;
    json(response, Number(query.get("status") ?? 500), {
      error,
      authorization: request.headers.authorization,
    });
  },
  reset: ({ request }) => {
    request.socket.resetAndDestroy();
  },
  /** Breaks off after `?after=` bytes; `?chunked` leaves the length out. */
  cut: ({ request, response, query }) => {
    const after = Number(query.get("after") ?? 100);
    response.writeHead(200, {
      "Content-Type": query.get("type") ?? "application/json",
      ...(!query.has("chunked") && { "Content-Length": after * 10 }),
    });
    response.write("x".repeat(after), () => request.socket.resetAndDestroy());
  },
  gzip: ({ response }) => {
    const bytes = gzipSync(JSON.stringify({ packed: true }));
    response.writeHead(200, { "Content-Type": "application/json", "Content-Encoding": "gzip" }).end(bytes);
  },
};

/** Answers before the request's body has been read. */
export const early: Record<string, Behaviour> = {
  early: ({ response, rest }) =>
    json(response, Number(rest || 413), { early: true }, { Connection: "close" }),
};
