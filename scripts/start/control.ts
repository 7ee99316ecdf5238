import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Problem } from "../lib/command.ts";
import { operations, type Operation, type Rows } from "../lib/control.ts";

/** Room for a socket's path in `sockaddr_un`, on the system that has the least (macOS), without the final zero. */
const longestPath = 103;
const largestBody = 4 * 1024 * 1024;

type Handlers = Readonly<Record<Operation, (text: string) => Promise<readonly Rows[]>>>;

export interface ControlServer {
  readonly socket: string;
  close(): Promise<void>;
}

/**
 * Serves the operator's scripts on a socket in the state folder, which is closed to other users; where that path is
 * too long for a socket, in a folder of its own below the system's temporary one, closed likewise.
 */
export async function startControl(folder: string, handlers: Handlers): Promise<ControlServer> {
  const server = createServer((request, response) => {
    void answer(request, handlers).then((body) => response.end(JSON.stringify(body)));
  });
  // A swap of the worker takes longer than Node's default patience with a socket that is silent.
  server.requestTimeout = 0;
  const socket = socketIn(folder);
  if (process.platform !== "win32") rmSync(socket, { force: true });
  server.listen(socket);
  await once(server, "listening");
  if (process.platform !== "win32") await chmod(socket, 0o600);
  return {
    socket,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
      if (dirname(socket).startsWith(tmpdir()) && dirname(socket) !== folder)
        rmSync(dirname(socket), { recursive: true, force: true });
    },
  };
}

function socketIn(folder: string): string {
  if (process.platform === "win32") return `\\\\.\\pipe\\bindify-${randomUUID()}`;
  const usual = join(folder, "control.sock");
  if (Buffer.byteLength(usual) <= longestPath) return usual;
  return join(mkdtempSync(join(tmpdir(), "bindify-")), "control.sock");
}

async function answer(
  request: IncomingMessage,
  handlers: Handlers,
): Promise<{ results: readonly Rows[] } | { problem: string }> {
  try {
    const operation = operations.find((name) => request.method === "POST" && request.url === `/${name}`);
    if (operation === undefined) return { problem: "There is no such operation." };
    return { results: await handlers[operation](await read(request)) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > largestBody) throw new Problem("The request is too large.");
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString("utf8");
}
