import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { scripts } from "./run-cli.ts";

export interface Bridge {
  readonly client: Client;
  /** What it wrote to standard error: that is where it explains itself to a person. */
  stderr(): string;
  close(): Promise<void>;
}

/**
 * The SDK's stdio client in front of `mcp-remote`, which speaks to `url`. `folder` is its home. `authorization` goes
 * by the environment, as its documentation advises. Fails if it is not connected within `limit` ms.
 */
export async function connectMcpRemote(
  url: string,
  options: { readonly folder: string; readonly authorization?: string; readonly limit?: number },
): Promise<Bridge> {
  const { folder, authorization, limit = 20_000 } = options;
  const header = authorization === undefined ? [] : ["--header", "Authorization:${AUTHORIZATION}"];
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [scripts.mcpRemote, url, ...header],
    env: { HOME: folder, MCP_REMOTE_CONFIG_DIR: folder, AUTHORIZATION: authorization ?? "" },
    stderr: "pipe",
  });
  let complaint = "";
  transport.stderr?.on("data", (chunk: Buffer) => (complaint += chunk.toString("utf8")));
  const client = new Client({ name: "bindify-test", version: "1.0.0" });
  try {
    await client.connect(transport, { timeout: limit });
  } catch (error) {
    await client.close();
    throw new Error(`mcp-remote did not connect: ${complaint}`, { cause: error });
  }
  return { client, stderr: () => complaint, close: () => client.close() };
}
