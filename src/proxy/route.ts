/**
 * The addresses below `/mcp`. `stream` is the streamable HTTP endpoint; `sse` and `messages` are the two ends of
 * the HTTP+SSE transport (MCP 2024-11-05).
 */
export type McpLeg = "stream" | "sse" | "messages";

export interface McpAddress {
  readonly service: string;
  /** As written, not yet checked; undefined in the header form. */
  readonly credential: string | undefined;
  readonly leg: McpLeg;
}

/** Where clients look for an authorization server after trouble; none of it is a credential. */
const oauthPaths: ReadonlySet<string> = new Set(["register", "authorize", "token", "introspect", "revoke"]);

const service = /^[a-z0-9][a-z0-9-]{0,39}$/;

/**
 * Reads a raw path, or undefined where it is none of ours. Percent-encoding, `;`, doubled slashes and dots have no
 * place in these addresses: anything but the exact form is unknown, so there is nothing to normalise and nothing to
 * smuggle.
 */
export function parseMcpPath(path: string): McpAddress | undefined {
  const [empty, mcp, id, ...rest] = path.split("/");
  if (empty !== "" || mcp !== "mcp" || id === undefined || !service.test(id)) return undefined;
  const last = rest.at(-1);
  const leg = last === "sse" || last === "messages" ? last : "stream";
  if (leg !== "stream") rest.pop();
  if (rest.length > 1) return undefined;
  const [credential] = rest;
  if (
    credential !== undefined &&
    (!/^[A-Za-z0-9_-]{1,200}$/.test(credential) || oauthPaths.has(credential))
  ) {
    return undefined;
  }
  return { service: id, credential, leg };
}
