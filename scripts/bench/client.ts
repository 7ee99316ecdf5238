import { Agent, request } from "node:http";

/** What a client calls. */
export interface Target {
  readonly name: string;
  readonly url: string;
  /** What a client sends as Authorization. */
  readonly authorization: string;
}

// One connection per row stays open, so that no figure holds a TCP handshake.
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

type Kind = "json" | "sse" | "download-10" | "download-100" | "upload";

export interface Answer {
  /** Milliseconds from the first byte sent to the first byte of the body. */
  readonly first: number;
  /** Milliseconds to the last byte of the body. */
  readonly total: number;
  readonly bytes: number;
  /** The start of the body. */
  readonly head: string;
}

const call = Buffer.from(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"}}`);

/** One MCP POST. @throws if the answer is not a 200 or the connection breaks */
export function post(row: Target, kind: Kind, body: Buffer = call): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const sent = request(
      row.url,
      {
        method: "POST",
        agent,
        headers: {
          "content-type": "application/json",
          "content-length": body.length,
          accept: "application/json, text/event-stream",
          "mcp-protocol-version": "2025-11-25",
          "mcp-name": kind,
          authorization: row.authorization,
        },
      },
      (response) => {
        let first = 0;
        let bytes = 0;
        let head = "";
        response.on("data", (part: Buffer) => {
          if (bytes === 0) {
            first = performance.now() - started;
            head = part.subarray(0, 512).toString("utf8");
          }
          bytes += part.length;
        });
        response.once("error", reject);
        response.once("end", () => {
          if (response.statusCode === 200)
            resolve({ first, total: performance.now() - started, bytes, head });
          else reject(new Error(`row ${row.name}, ${kind}: ${response.statusCode} ${head}`));
        });
      },
    );
    sent.once("error", reject);
    sent.end(body);
  });
}

export function closeConnections(): void {
  agent.destroy();
}
