import { fromUtf8 } from "../lib/bytes.ts";
import { faults, type Fault } from "../lib/fault.ts";
import { plainHeaders } from "./problem.ts";

type RequestId = string | number;

/** Ids of at most this many requests of a batch (MCP 2025-03-26) are answered. */
const batchLimit = 100;

/**
 * The ids of the JSON-RPC requests in a body; notifications have none. Clients match an error to their call by the
 * echoed id, and one without hangs them until their time-out, so a body without ids is answered with an HTTP status.
 */
function requestIds(body: Uint8Array | undefined): { ids: readonly RequestId[]; batch: boolean } {
  if (body === undefined) return { ids: [], batch: false };
  let message: unknown;
  try {
    message = JSON.parse(fromUtf8(body));
  } catch {
    return { ids: [], batch: false };
  }
  const batch = Array.isArray(message);
  const messages: readonly unknown[] = Array.isArray(message) ? message.slice(0, batchLimit) : [message];
  return { ids: messages.flatMap(idOf), batch };
}

function idOf(message: unknown): RequestId[] {
  if (typeof message !== "object" || message === null || !("id" in message) || !("method" in message))
    return [];
  return typeof message.id === "string" || typeof message.id === "number" ? [message.id] : [];
}

/** 200 with a JSON-RPC error for each request of the body, or undefined where it holds none. */
export function rpcRefusal(fault: Fault, body: Uint8Array | undefined): Response | undefined {
  const { ids, batch } = requestIds(body);
  if (ids.length === 0) return undefined;
  const { rpc } = faults[fault.code];
  const answers = ids.map((id) => ({
    jsonrpc: "2.0",
    id,
    error: { code: rpc, message: fault.detail, data: { code: fault.code } },
  }));
  return new Response(JSON.stringify(batch ? answers : answers[0]), {
    headers: {
      ...plainHeaders,
      "content-type": "application/json",
      ...(fault.retryAfter === undefined ? {} : { "retry-after": String(fault.retryAfter) }),
    },
  });
}
