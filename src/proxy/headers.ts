import { Fault } from "../lib/fault.ts";
import type { Grant } from "../grants/grant.ts";
import { formatHeader } from "../services/key-mode.ts";

/** Request headers that reach the service, besides every `Mcp-*`. All others stay here. */
const requestAllowed = new Set([
  "content-type",
  "accept",
  "last-event-id",
  "accept-language",
  "user-agent",
  // W3C Trace Context
  "traceparent",
  "tracestate",
]);

/** Response headers that reach the client, besides every `Mcp-*`. */
const responseAllowed = new Set([
  "content-type",
  "cache-control",
  "content-language",
  "x-accel-buffering",
  "retry-after",
  "allow",
  "x-request-id",
]);

/** Total bytes of names and values. Services commonly refuse more than 16 KiB; the platform stops at 128. */
const headerLimit = 32 * 1024;

/** Setting any other value makes the runtime print it, with this invocation's URL beside it. */
const ascii = /^[\t\x20-\x7e]*$/;

/** MCP 2026-07-28, Transports: values outside of ASCII come encoded, so a bare one cannot be passed on as meant. */
function plain(name: string, value: string): string {
  if (ascii.test(value)) return value;
  throw new Fault("header_not_ascii", { params: { name } });
}

/** Names in lower case. A plain record, because making and filling `Headers` costs more than all else done here. */
export type HeaderRecord = Record<string, string>;

/**
 * The headers of the request to the service: an allow-list, so that what identifies the client (cookies, addresses,
 * our own credential, `Origin`) cannot slip through under a name nobody thought of. Values pass as they are.
 */
export function upstreamHeaders(client: Headers, grant: Grant): HeaderRecord {
  const headers: HeaderRecord = {};
  let size = 0;
  let oneHop: string | undefined;
  for (const [name, value] of client) {
    size += name.length + value.length;
    if (name === "connection") oneHop = value;
    if (name.startsWith("mcp-")) headers[name] = plain(name, value);
    else if (requestAllowed.has(name) && ascii.test(value)) headers[name] = value;
  }
  if (size > headerLimit) throw new Fault("headers_too_large", { params: { limit: "32 KiB" } });
  drop(oneHop, headers);
  for (const [name, value] of Object.entries(grant.extra_headers)) headers[name.toLowerCase()] = value;
  // A compressed answer would be unpacked on its way, and its bytes are not ours to touch.
  headers["accept-encoding"] = "identity";
  headers[grant.header.name.toLowerCase()] = formatHeader(grant.header, grant.secret);
  return headers;
}

/**
 * The headers of the answer. `WWW-Authenticate` would send the client to the service's own authorization server,
 * `Set-Cookie` would set a cookie of theirs on our origin; neither is on the list. The last three keep an answer
 * that is HTML from running as a page of ours when somebody opens the address in a browser.
 */
export function clientHeaders(upstream: Headers): HeaderRecord {
  const headers: HeaderRecord = {};
  let oneHop: string | undefined;
  for (const [name, value] of upstream) {
    if (name === "connection") oneHop = value;
    if ((responseAllowed.has(name) || name.startsWith("mcp-")) && ascii.test(value)) headers[name] = value;
  }
  drop(oneHop, headers);
  headers["content-security-policy"] = "sandbox; default-src 'none'; frame-ancestors 'none'";
  headers["x-content-type-options"] = "nosniff";
  headers["referrer-policy"] = "no-referrer";
  return headers;
}

/** RFC 9110 §7.6.1: headers that `Connection` names are for one hop. */
function drop(connection: string | undefined, headers: HeaderRecord): void {
  for (const name of connection?.split(",") ?? []) delete headers[name.trim().toLowerCase()];
}
