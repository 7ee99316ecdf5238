import { connect, type Socket } from "node:net";

export interface RawRequest {
  readonly method?: string;
  /** The request target exactly as it goes out: nothing normalises it. */
  readonly target?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface RawResponse {
  readonly status: number;
  /** Names in lower case; of repeated ones the last. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface RawExchange {
  /** Whatever arrived until the other end closed; fails after `limit` ms. */
  answer(limit?: number): Promise<RawResponse>;
  /** Leaves as a killed process with unread data does, which is what workerd notices without writing. */
  reset(): void;
}

/** One HTTP request over a socket of its own, byte for byte as given. */
export async function sendRaw(base: string, request: RawRequest): Promise<RawExchange> {
  const url = new URL(base);
  const socket = connect(Number(url.port), url.hostname);
  const chunks: Buffer[] = [];
  let failure: Error | undefined;
  const closed = new Promise<void>((resolve) => {
    socket.once("close", () => resolve());
  });
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", (error) => (failure = error));
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  socket.write(textOf(url, request), "latin1");
  return {
    answer: async (limit = 10_000) => {
      const timer = setTimeout(() => socket.destroy(new Error(`no answer within ${limit} ms`)), limit);
      await closed;
      clearTimeout(timer);
      if (chunks.length === 0) throw failure ?? new Error("the connection was closed without an answer");
      return parse(Buffer.concat(chunks).toString("latin1"));
    },
    reset: () => reset(socket),
  };
}

function reset(socket: Socket): void {
  socket.resetAndDestroy();
}

function textOf(url: URL, { method = "POST", target, headers = {}, body = "" }: RawRequest): string {
  const all: Record<string, string> = {
    Host: url.host,
    Connection: "close",
    ...(body === "" ? {} : { "Content-Type": "application/json", "Content-Length": String(body.length) }),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${target ?? url.pathname + url.search} HTTP/1.1\r\n${lines.join("")}\r\n${body}`;
}

function parse(text: string): RawResponse {
  const end = text.indexOf("\r\n\r\n");
  const [first = "", ...lines] = text.slice(0, end).split("\r\n");
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const rest = text.slice(end + 4);
  const bytes = headers["transfer-encoding"] === "chunked" ? unchunk(rest) : rest;
  const body = Buffer.from(bytes, "latin1").toString("utf8");
  return { status: Number(first.split(" ")[1]), headers, body };
}

function unchunk(text: string): string {
  let body = "";
  for (let at = 0; at < text.length;) {
    const line = text.indexOf("\r\n", at);
    const size = Number.parseInt(text.slice(at, line), 16);
    if (!(size > 0)) break;
    body += text.slice(line + 2, line + 2 + size);
    at = line + 2 + size + 2;
  }
  return body;
}
