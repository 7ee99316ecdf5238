import { Client as ClientV2, StreamableHTTPClientTransport as HttpV2 } from "@modelcontextprotocol/client";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as HttpV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { SSEClientTransport } from "./legacy-transport.mjs";

const self = { name: "bindify-test", version: "1.0.0" };

/** One face over the official clients, for tests that go through all of them. */
export interface ConnectedClient {
  listTools(): Promise<string[]>;
  /** Calls a tool and returns its text; with `onProgress` it asks for progress. */
  callTool(
    name: string,
    input?: Record<string, unknown>,
    onProgress?: (progress: number) => void,
  ): Promise<string>;
  close(): Promise<void>;
}

type Headers = Record<string, string>;

function textOf(result: object): string {
  const blocks: unknown[] = "content" in result && Array.isArray(result.content) ? result.content : [];
  return blocks
    .map((block) =>
      typeof block === "object" && block !== null && "text" in block ? String(block.text) : "",
    )
    .join("\n");
}

const progressTo = (report: ((progress: number) => void) | undefined) =>
  report ? { onprogress: ({ progress }: { progress: number }) => report(progress) } : {};

/** SDK v2. `modern` is 2026-07-28 and nothing else; `auto` probes, as a current host does. */
export async function connectV2(
  url: string,
  options: { headers?: Headers; era?: "legacy" | "auto" | "modern" } = {},
): Promise<ConnectedClient> {
  const mode = options.era === "modern" ? { pin: "2026-07-28" } : (options.era ?? "legacy");
  const client = new ClientV2(self, { versionNegotiation: { mode } });
  const transport = new HttpV2(new URL(url), { requestInit: { headers: options.headers ?? {} } });
  await client.connect(transport);
  return {
    listTools: async () => (await client.listTools()).tools.map(({ name }) => name),
    callTool: async (name, input = {}, onProgress) =>
      textOf(await client.callTool({ name, arguments: input }, progressTo(onProgress))),
    close: async () => {
      await transport.terminateSession();
      await client.close();
    },
  };
}

/**
 * Hands every progress notification on as it comes. SDK v1 tells its caller a moment later, and forgets the caller
 * when the result comes in the same read.
 */
export function hearProgress(transport: Transport, report: (progress: number) => void): void {
  const { onmessage } = transport;
  const hear: Transport["onmessage"] = (message, extra) => {
    if ("method" in message && message.method === "notifications/progress")
      report(Number(message.params?.["progress"]));
    onmessage?.(message, extra);
  };
  Object.assign(transport, { onmessage: hear });
}

/** SDK v1, over streamable HTTP or, with `sse`, over HTTP+SSE. */
export async function connectV1(
  url: string,
  options: { headers?: Headers; sse?: boolean } = {},
): Promise<ConnectedClient> {
  const requestInit = { headers: options.headers ?? {} };
  const client = new ClientV1(self);
  const http = options.sse ? undefined : new HttpV1(new URL(url), { requestInit });
  const transport: Transport = http ?? new SSEClientTransport(new URL(url), { requestInit });
  await client.connect(transport);
  let report: ((progress: number) => void) | undefined;
  hearProgress(transport, (progress) => report?.(progress));
  return {
    listTools: async () => (await client.listTools()).tools.map(({ name }) => name),
    callTool: async (name, input = {}, onProgress) => {
      report = onProgress;
      const asked = onProgress && { onprogress: () => {} };
      return textOf(await client.callTool({ name, arguments: input }, undefined, asked));
    },
    close: async () => {
      await http?.terminateSession();
      await client.close();
    },
  };
}
