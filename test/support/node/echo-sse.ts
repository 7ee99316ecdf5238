import type { ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";

const text = "héllo 🌍 ≠";
const message = (n: number) =>
  JSON.stringify({
    jsonrpc: "2.0",
    method: "notifications/message",
    params: { level: "info", data: text, n },
  });

/** The bytes of event `n` in one of the shapes that real servers use. */
function eventOf(n: number, variant: string): string {
  switch (variant) {
    case "crlf":
      return `event: message\r\nid: ${n}\r\ndata: ${message(n)}\r\n\r\n`;
    case "cr":
      return `event: message\rid: ${n}\rdata: ${message(n)}\r\r`;
    case "comments":
      return `: comment ${n}\nretry: 1500\nid: ${n}\ndata: ${message(n)}\n\n: after ${n}\n\n`;
    case "bare":
      return `data: ${message(n)}\n\n`;
    case "lines":
      return `id: ${n}\n${message(n)
        .replaceAll(",", ",\n")
        .split("\n")
        .map((line) => `data: ${line}\n`)
        .join("")}\n`;
    default:
      return `event: message\nid: ${n}\ndata: ${message(n)}\n\n`;
  }
}

/** Milliseconds that end early, without an error, when the client leaves. */
async function rest(ms: number, left: AbortSignal): Promise<void> {
  const over = pause(ms, undefined, { signal: left });
  await over.catch((error: unknown) => {
    if (!left.aborted) throw error;
  });
}

/**
 * An event stream: `count` events, one every `every` ms, in the shape `variant`.
 * `silent` waits that long after the first event; `partial` puts that silence in the middle of the second one;
 * `split` sends single bytes; `hold` leaves the stream open at its end.
 */
export async function sendEvents(
  response: ServerResponse,
  query: URLSearchParams,
  left: AbortSignal,
): Promise<void> {
  const number = (name: string, otherwise: number) => Number(query.get(name) ?? otherwise);
  const silent = number("silent", 0);
  response.writeHead(200, {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-cache",
    "X-Accel-Buffering": "no",
  });
  response.flushHeaders();
  if (query.has("late")) await rest(number("late", 0), left);
  for (let n = 1; n <= number("count", 3) && !left.aborted; n++) {
    if (n > 1) await rest(number("every", 10), left);
    const bytes = Buffer.from(eventOf(n, query.get("variant") ?? ""));
    if (query.has("split")) {
      for (const byte of bytes) {
        response.write(Buffer.of(byte));
        await rest(1, left);
      }
    } else if (query.has("partial") && n === 2) {
      response.write(bytes.subarray(0, 20));
      await rest(silent, left);
      response.write(bytes.subarray(20));
    } else response.write(bytes);
    if (n === 1 && !query.has("partial") && silent > 0) await rest(silent, left);
  }
  if (!query.has("hold")) response.end();
}
