import { setTimeout as pause } from "node:timers/promises";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import type { ServerResponse } from "node:http";
import { z } from "zod";
import { type LegacySession, SSEServerTransport } from "./legacy-transport.mjs";
import { listenOnLoopback } from "./listening.ts";

export interface LegacySseOptions {
  port?: number;
  /** Requires `Authorization: Bearer <apiKey>` on the stream and on every message. */
  apiKey?: string;
  /**
   * How the `endpoint` event names the place for messages: a path (what servers do), an absolute URL of the
   * same origin, or an absolute URL of this other origin (an attack: messages carry the credential).
   */
  announce?: "path" | "absolute" | { origin: string };
  /**
   * How the stream's first bytes are cut: as the SDK writes them, byte by byte, with CRLF line ends, or with a
   * comment before the event.
   */
  opening?: "plain" | "bytes" | "crlf" | "comment";
}

export interface LegacySseServer {
  /** The event stream's URL. */
  url: string;
  openSessions(): number;
  /** Messages that arrived, refused ones included. */
  messages(): number;
  close(): Promise<void>;
}

function createServer(): McpServer {
  const server = new McpServer({ name: "legacy-sse", version: "1.0.0" });
  server.registerTool(
    "echo",
    { description: "Says it again", inputSchema: { text: z.string() } },
    ({ text }) => ({ content: [{ type: "text", text }] }),
  );
  server.registerTool(
    "count",
    { description: "Counts to three with progress" },
    async ({ _meta: meta, ...extra }) => {
      for (let progress = 1; progress <= 3; progress++) {
        await pause(20);
        if (meta?.progressToken === undefined) continue;
        const params = { progressToken: meta.progressToken, progress, total: 3 };
        await extra.sendNotification({ method: "notifications/progress", params });
      }
      return { content: [{ type: "text", text: "Counted to 3." }] };
    },
  );
  return server;
}

/** Rewrites the SDK's first write (the `endpoint` event) as the options say, and lets the rest through. */
function disturbOpening(response: ServerResponse, options: LegacySseOptions, origin: string): void {
  const write = response.write.bind(response);
  const announce = options.announce ?? "path";
  response.write = (chunk: unknown) => {
    response.write = write;
    let text = String(chunk);
    if (announce !== "path") {
      text = text.replace("data: /", `data: ${announce === "absolute" ? origin : announce.origin}/`);
    }
    if (options.opening === "comment") text = `: welcome\n\n${text}`;
    if (options.opening === "crlf") text = text.replaceAll("\n", "\r\n");
    if (options.opening !== "bytes") return write(text);
    return [...Buffer.from(text)].map((byte) => write(Buffer.of(byte))).every(Boolean);
  };
}

/** A real HTTP+SSE server (2024-11-05) with the SDK that still has that transport. */
export async function startLegacySseServer(options: LegacySseOptions = {}): Promise<LegacySseServer> {
  const sessions = new Map<string, LegacySession>();
  let messages = 0;
  const allowed = (authorization: string | undefined) =>
    options.apiKey === undefined || authorization === `Bearer ${options.apiKey}`;

  const listening = await listenOnLoopback(options.port ?? 0, async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", listening.url);
    if (pathname === "/messages") messages++;
    if (!allowed(request.headers.authorization)) {
      response.writeHead(401, { "WWW-Authenticate": 'Bearer error="invalid_token"' }).end("Unauthorized");
      return;
    }
    if (request.method === "GET" && pathname === "/sse") {
      disturbOpening(response, options, listening.url);
      const transport = new SSEServerTransport("/messages", response);
      sessions.set(transport.sessionId, transport);
      response.once("close", () => sessions.delete(transport.sessionId));
      await createServer().connect(transport);
      return;
    }
    const session = sessions.get(searchParams.get("sessionId") ?? "");
    if (request.method === "POST" && pathname === "/messages" && session) {
      await session.handlePostMessage(request, response);
      return;
    }
    // A POST to the stream's own URL is how clients find out which transport a server has.
    response.writeHead(pathname === "/sse" ? 405 : 404).end();
  });

  return {
    url: `${listening.url}/sse`,
    openSessions: () => sessions.size,
    messages: () => messages,
    close: () => listening.close(),
  };
}
