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

/**
 * The headers of the request to the service: an allow-list, so that what identifies the client (cookies, addresses,
 * our own credential, `Origin`) cannot slip through under a name nobody thought of. Values pass as they are.
 */
export function upstreamHeaders(client: Headers, grant: Grant): Headers {
  const headers = new Headers();
  const named = connectionNamed(client);
  let size = 0;
  for (const [name, value] of client) {
    size += name.length + value.length;
    if (size > headerLimit) throw new Fault("headers_too_large", { params: { limit: "32 KiB" } });
    if ((requestAllowed.has(name) || name.startsWith("mcp-")) && !named?.has(name)) headers.set(name, value);
  }
  for (const [name, value] of Object.entries(grant.extra_headers)) headers.set(name, value);
  // A compressed answer would be unpacked on its way, and its bytes are not ours to touch.
  headers.set("accept-encoding", "identity");
  headers.set(grant.header.name, formatHeader(grant.header, grant.secret));
  return headers;
}

/**
 * The headers of the answer. `WWW-Authenticate` would send the client to the service's own authorization server,
 * `Set-Cookie` would set a cookie of theirs on our origin; neither is on the list. The last three keep an answer
 * that is HTML from running as a page of ours when somebody opens the address in a browser.
 */
export function clientHeaders(upstream: Headers): Headers {
  const headers = new Headers();
  const named = connectionNamed(upstream);
  for (const [name, value] of upstream) {
    if ((responseAllowed.has(name) || name.startsWith("mcp-")) && !named?.has(name)) headers.set(name, value);
  }
  headers.set("content-security-policy", "sandbox; default-src 'none'; frame-ancestors 'none'");
  headers.set("x-content-type-options", "nosniff");
  headers.set("referrer-policy", "no-referrer");
  return headers;
}

/** RFC 9110 §7.6.1: headers that `Connection` names are for one hop. */
function connectionNamed(headers: Headers): ReadonlySet<string> | undefined {
  const connection = headers.get("connection");
  return connection === null
    ? undefined
    : new Set(connection.split(",").map((name) => name.trim().toLowerCase()));
}
