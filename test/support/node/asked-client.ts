import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { CreateMessageRequestSchema, ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import type { CredentialForm } from "./credential-forms.ts";
import { SSEClientTransport } from "./legacy-transport.mjs";
import { hearProgress } from "./mcp-clients.ts";

export interface AskedClient {
  readonly client: Client;
  /** What the server asked of the client, by method, in order. */
  readonly asked: readonly string[];
  /** The progress that the server told of, in order. */
  readonly progress: readonly number[];
  /** Streamable HTTP only: ends the session at the server. */
  endSession(): Promise<void>;
  close(): Promise<void>;
}

/** SDK v1 with a model and a person behind it: it answers sampling and elicitation requests. */
export async function connectAsked(
  form: Pick<CredentialForm, "url" | "headers">,
  transport: "http" | "sse",
): Promise<AskedClient> {
  const client = new Client(
    { name: "bindify-test", version: "1.0.0" },
    { capabilities: { sampling: {}, elicitation: {} } },
  );
  const asked: string[] = [];
  client.setRequestHandler(CreateMessageRequestSchema, ({ method }) => {
    asked.push(method);
    return { role: "assistant", model: "test-model", content: { type: "text", text: "sampled-answer" } };
  });
  client.setRequestHandler(ElicitRequestSchema, ({ method }) => {
    asked.push(method);
    return { action: "accept", content: { name: "Ada Lovelace" } };
  });
  const requestInit = { headers: form.headers };
  const http =
    transport === "http" ? new StreamableHTTPClientTransport(new URL(form.url), { requestInit }) : undefined;
  const used: Transport = http ?? new SSEClientTransport(new URL(form.url), { requestInit });
  await client.connect(used);
  const progress: number[] = [];
  hearProgress(used, (step) => progress.push(step));
  return {
    client,
    asked,
    progress,
    endSession: async () => {
      await http?.terminateSession();
    },
    close: () => client.close(),
  };
}
