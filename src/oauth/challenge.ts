import { OauthError } from "./error.ts";
import { NoAnswer, type OauthHttp } from "./http.ts";

/** What a 401 or 403 of a protected resource says (RFC 6750 §3, RFC 9728 §5.1). */
export interface Challenge {
  readonly resourceMetadata: string | undefined;
  readonly scope: string | undefined;
  readonly error: string | undefined;
}

/** Reads the parameters at any position and in any number of challenges; what is malformed is simply not there. */
export function readChallenge(headers: Headers): Challenge {
  const text = headers.get("www-authenticate") ?? "";
  return {
    resourceMetadata: parameter(text, "resource_metadata"),
    scope: parameter(text, "scope"),
    error: parameter(text, "error"),
  };
}

function parameter(text: string, name: string): string | undefined {
  const found = new RegExp(`(?:^|[\\s,])${name}\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s,"]+))`, "i").exec(
    text,
  );
  return found?.[1]?.replace(/\\(.)/g, "$1") ?? found?.[2];
}

const initialize = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "discovery", version: "1" },
  },
} as const;

const listTools = { jsonrpc: "2.0", id: 2, method: "tools/list" } as const;

/**
 * What an MCP server says to somebody without a credential. Some challenge only what comes after `initialize`, so
 * where that is answered a second question is asked.
 */
export async function askForChallenge(mcpUrl: string, http: OauthHttp): Promise<Challenge> {
  const first = readChallenge(await anonymousCall(mcpUrl, initialize, http));
  if (first.resourceMetadata !== undefined || first.scope !== undefined) return first;
  return readChallenge(await anonymousCall(mcpUrl, listTools, http));
}

async function anonymousCall(mcpUrl: string, message: object, http: OauthHttp): Promise<Headers> {
  const headers = new Headers({
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
  });
  try {
    return await http.headersOf(mcpUrl, { method: "POST", headers, body: JSON.stringify(message) });
  } catch (error) {
    if (error instanceof NoAnswer) throw new OauthError("unreachable");
    throw error;
  }
}
