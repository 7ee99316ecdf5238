import { z } from "zod";
import { Problem } from "../lib/command.ts";

const connection = z.object({
  id: z.string(),
  service_name: z.string(),
  upstream_url: z.string(),
  status: z.string(),
});
const connected = z.object({
  connection,
  credential: z.object({ secret_url: z.string(), api_key: z.string(), mcp_url: z.string() }),
});
const disconnected = z.object({
  connection,
  revocation: z.object({ outcome: z.string(), detail: z.string() }),
});
const problem = z.object({ detail: z.string() });

export interface NewConnection {
  readonly service: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly label: string;
  readonly storage?: "zero_knowledge" | "managed";
}

/** The two calls of the JSON API that the demo and the seed make. */
export function createApi(url: string, token: string) {
  const call = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(10_000),
    });
    const answer: unknown = await response.json();
    if (response.ok) return answer;
    const reason = problem.safeParse(answer).data?.detail ?? "without a reason";
    throw new Problem(`${method} ${path} was refused with ${response.status}: ${reason}`);
  };
  return {
    connect: async (wanted: NewConnection) => connected.parse(await call("POST", "/api/connections", wanted)),
    disconnect: async (id: string) => disconnected.parse(await call("DELETE", `/api/connections/${id}`)),
  };
}
