import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Problem } from "../lib/command.ts";
import { show } from "./print.ts";

export interface Target {
  readonly url: string;
  /** Sent as `Authorization: Bearer …`. */
  readonly apiKey?: string;
  /** Speak a revision before 2026-07-28, with `initialize` and a session. */
  readonly legacy?: boolean;
}

export async function openClient({ url, apiKey, legacy = false }: Target): Promise<Client> {
  const client = new Client(
    { name: "bindify-demo", version: "1.0.0" },
    { versionNegotiation: { mode: legacy ? "legacy" : "auto" } },
  );
  await client.connect(
    new StreamableHTTPClientTransport(new URL(url), {
      requestInit: apiKey === undefined ? {} : { headers: { Authorization: `Bearer ${apiKey}` } },
    }),
    { timeout: 10_000 },
  );
  return client;
}

/** Lists the tools of Demo notes and calls one that can only answer `note` if the service did the work. */
export async function useNotes(target: Target, note: string): Promise<void> {
  const client = await openClient(target);
  try {
    show(
      "server",
      `${client.getServerVersion()?.name ?? "?"}, MCP ${client.getNegotiatedProtocolVersion() ?? "?"}`,
    );
    const { tools } = await client.listTools();
    show("tools", tools.map((tool) => tool.name).join(", "));
    const result = await client.callTool({ name: "add_note", arguments: { text: note } });
    const answer = result.content.flatMap((part) => (part.type === "text" ? [part.text] : [])).join(" ");
    show("add_note", answer);
    if (result.isError || !answer.includes(note))
      throw new Problem("Not as promised: the note was not added.");
  } finally {
    await client.close();
  }
}

/** The sentence with which a client is refused. */
export async function expectRefusal(attempt: () => Promise<Client>): Promise<string> {
  let client: Client;
  try {
    client = await attempt();
  } catch (error) {
    return sentenceOf(error instanceof Error ? error.message : String(error));
  }
  await client.close();
  throw new Problem("Not as promised: the secret URL still works after the connection was disconnected.");
}

/** The client puts our JSON-RPC error behind words of its own: what the person should read is its message. */
function sentenceOf(message: string): string {
  return /"message":"((?:[^"\\]|\\.)*)"/.exec(message)?.[1] ?? message;
}
