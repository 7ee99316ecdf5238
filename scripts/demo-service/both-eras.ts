import { randomUUID } from "node:crypto";
import {
  createMcpHandler,
  type EventStore,
  isInitializeRequest,
  isLegacyRequest,
  type McpHttpHandler,
  type McpServer,
  type ServerNotifier,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";

/** What a server definition may use of the connection it serves. */
export interface Peer {
  /** Whose data is served; a session belongs to the account that opened it. */
  account: string;
  /** The transport of a session (2025-11-25 and earlier); a stateless request has none. */
  session: WebStandardStreamableHTTPServerTransport | undefined;
  /** Publishes to the `subscriptions/listen` streams (2026-07-28). */
  notify: ServerNotifier;
}

export interface BothErasOptions {
  /** Makes a session's streams resumable with `Last-Event-ID`. */
  eventStore?: () => EventStore;
  /** `retry:` of a session's event streams, in milliseconds. */
  retryInterval?: number;
}

export interface BothEras {
  fetch(request: Request, account: string): Promise<Response>;
  openSessions(): number;
  close(): Promise<void>;
}

interface Session {
  account: string;
  transport: WebStandardStreamableHTTPServerTransport;
  server: McpServer;
}

const maxSessions = 1000;

function rpcError(
  status: number,
  code: number,
  message: string,
  headers: Record<string, string> = {},
): Response {
  return Response.json({ jsonrpc: "2.0", error: { code, message }, id: null }, { status, headers });
}

async function opensSession(request: Request): Promise<boolean> {
  if (request.method !== "POST") return false;
  try {
    return isInitializeRequest(await request.clone().json());
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

/**
 * One MCP endpoint for both eras from one definition: streamable HTTP with sessions up to 2025-11-25, and
 * stateless 2026-07-28. The SDK's handler alone would serve the older era without sessions.
 */
export function serveBothEras(define: (peer: Peer) => McpServer, options: BothErasOptions = {}): BothEras {
  const sessions = new Map<string, Session>();
  const modern: McpHttpHandler = createMcpHandler(
    (context) =>
      define({ account: context.authInfo?.clientId ?? "", session: undefined, notify: modern.notify }),
    { legacy: "reject" },
  );

  async function open(request: Request, account: string): Promise<Response> {
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      ...(options.eventStore && { eventStore: options.eventStore() }),
      ...(options.retryInterval !== undefined && { retryInterval: options.retryInterval }),
      onsessioninitialized: (id) => {
        sessions.set(id, { account, transport, server });
      },
      onsessionclosed: (id) => {
        sessions.delete(id);
      },
    });
    const server = define({ account, session: transport, notify: modern.notify });
    await server.connect(transport);
    const response = await transport.handleRequest(request);
    await dropOldest();
    return response;
  }

  async function dropOldest(): Promise<void> {
    for (const [id, session] of sessions) {
      if (sessions.size <= maxSessions) return;
      sessions.delete(id);
      await session.server.close();
    }
  }

  async function legacy(request: Request, account: string): Promise<Response> {
    const id = request.headers.get("mcp-session-id");
    if (id === null) {
      if (await opensSession(request)) return open(request, account);
      if (request.method === "POST") return rpcError(400, -32_000, "Bad Request: Session ID required");
      return rpcError(405, -32_000, "Method not allowed.", { Allow: "POST" });
    }
    const session = sessions.get(id);
    if (session?.account !== account) return rpcError(404, -32_001, "Session not found");
    return session.transport.handleRequest(request);
  }

  return {
    fetch: async (request, account) =>
      (await isLegacyRequest(request))
        ? legacy(request, account)
        : modern.fetch(request, { authInfo: { token: "", clientId: account, scopes: [] } }),
    openSessions: () => sessions.size,
    close: async () => {
      for (const session of sessions.values()) await session.server.close();
      await modern.close();
    },
  };
}
