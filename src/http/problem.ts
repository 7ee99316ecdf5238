import { Fault, faults } from "../lib/fault.ts";

/**
 * An RFC 9457 problem document: `{type, title, status, code, detail, errors?, created?}`. It also carries what every answer
 * of ours that is not a page carries: nobody may store, frame or sniff it.
 */
export function problem(fault: Fault): Response {
  const { status, title } = faults[fault.code];
  const body = {
    type: "about:blank",
    title,
    status,
    code: fault.code,
    detail: fault.detail,
    ...(fault.errors === undefined ? {} : { errors: fault.errors }),
    // What an earlier request with the same key made.
    ...(fault.params["created"] === undefined ? {} : { created: fault.params["created"] }),
  };
  return new Response(JSON.stringify(body), { status, headers: problemHeaders(fault) });
}

function problemHeaders(fault: Fault): Headers {
  const headers = new Headers({ ...plainHeaders, "content-type": "application/problem+json" });
  if (fault.retryAfter !== undefined) headers.set("retry-after", String(fault.retryAfter));
  if (fault.code === "method_not_allowed") headers.set("allow", fault.params["allow"] ?? "");
  // RFC 9110 §15.5.2 wants a challenge. It names no metadata: there is no authorization server to go to.
  if (faults[fault.code].status === 401) headers.set("www-authenticate", "Bearer");
  return headers;
}

export const plainHeaders = {
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
} as const;
