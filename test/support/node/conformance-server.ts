import {
  hostHeaderValidationResponse,
  McpServer,
  originValidationResponse,
} from "@modelcontextprotocol/server";
import { type Peer, serveBothEras } from "../../../scripts/demo-service/both-eras.ts";
import { serveWeb } from "../../../scripts/demo-service/http-bridge.ts";
import { addAskingTools } from "./conformance/asking-tools.ts";
import { addPlainTools } from "./conformance/content-tools.ts";
import { addInputTools, requestState } from "./conformance/input-tools.ts";
import { addPrompts, addResources } from "./conformance/resources-and-prompts.ts";
import { createEventStore } from "./event-store.ts";
import { listenOnLoopback } from "./listening.ts";

function define(peer: Peer): McpServer {
  const server = new McpServer(
    { name: "conformance-fixture", version: "1.0.0" },
    {
      capabilities: {
        tools: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        prompts: { listChanged: true },
        logging: {},
        completions: {},
      },
      requestState: { verify: (state, context) => requestState.verify(state, context) },
    },
  );
  addPlainTools(server, peer);
  addAskingTools(server);
  addInputTools(server);
  addResources(server);
  addPrompts(server);
  server.server.setRequestHandler("logging/setLevel", () => ({}));
  server.server.setRequestHandler("completion/complete", () => ({
    completion: { values: [], total: 0, hasMore: false },
  }));
  return server;
}

export interface ConformanceServer {
  /** The MCP endpoint. */
  url: string;
  /** Requests that were refused for want of the key. */
  refused(): number;
  openSessions(): number;
  close(): Promise<void>;
}

/**
 * An MCP server with everything that the conformance suites of 2025-11-25 and 2026-07-28 ask for.
 * With `apiKey` it answers 401 to whatever does not carry `Authorization: Bearer <apiKey>`.
 */
export async function startConformanceServer(
  options: { port?: number; apiKey?: string } = {},
): Promise<ConformanceServer> {
  const eras = serveBothEras(define, { eventStore: createEventStore, retryInterval: 5000 });
  const loopback = ["127.0.0.1", "localhost"];
  let refused = 0;

  async function serve(request: Request): Promise<Response> {
    const foreign =
      hostHeaderValidationResponse(request, loopback) ?? originValidationResponse(request, loopback);
    if (foreign) return foreign;
    if (options.apiKey === undefined || request.headers.get("authorization") === `Bearer ${options.apiKey}`) {
      return eras.fetch(request, "");
    }
    refused++;
    return Response.json(
      { error: "unauthorized" },
      { status: 401, headers: { "WWW-Authenticate": 'Bearer error="invalid_token"' } },
    );
  }

  const listening = await listenOnLoopback(options.port ?? 0, async (request, response) => {
    if (URL.parse(request.url ?? "", listening.url)?.pathname === "/mcp") {
      await serveWeb(request, response, listening.url, serve);
    } else response.writeHead(404).end();
  });
  return {
    url: `${listening.url}/mcp`,
    refused: () => refused,
    openSessions: () => eras.openSessions(),
    close: async () => {
      await eras.close();
      await listening.close();
    },
  };
}
