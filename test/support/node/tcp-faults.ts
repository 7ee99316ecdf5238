import { connect, createServer, type Socket } from "node:net";
import { freePort } from "./free-port.ts";

/** What happens to each connection that is opened from now on; bytes and times count per connection. */
export type TcpFault =
  | { readonly kind: "none" }
  /** Each piece arrives so many ms later, in both directions. */
  | { readonly kind: "latency"; readonly ms: number }
  /** The answer ends cleanly after so many bytes. */
  | { readonly kind: "cut"; readonly bytes: number }
  /** The connection is reset after so many bytes of the answer; at 0, as soon as the request has begun to arrive. */
  | { readonly kind: "reset"; readonly bytes: number }
  /** It is accepted, and nothing is ever answered. */
  | { readonly kind: "blackhole" }
  /** The answer comes in pieces of so many bytes, one every so many ms. */
  | { readonly kind: "drip"; readonly bytes: number; readonly every: number }
  /** Nobody listens. */
  | { readonly kind: "refuse" };

export interface TcpFaults {
  /** Origin to use instead of the target's. */
  readonly url: string;
  /** Connections so far. */
  count(): number;
  set(fault: TcpFault): Promise<void>;
  close(): Promise<void>;
}

const drop = (...sockets: readonly Socket[]): void => {
  for (const socket of sockets) socket.resetAndDestroy();
};

/** Hands the answer on as the fault has it. */
function relayAnswer(fault: TcpFault, from: Socket, to: Socket): void {
  let passed = 0;
  from.on("data", (chunk: Buffer) => {
    switch (fault.kind) {
      case "latency":
        setTimeout(() => to.write(chunk), fault.ms);
        return;
      case "cut":
      case "reset": {
        const left = Math.max(0, fault.bytes - passed);
        passed += chunk.length;
        if (left > 0) to.write(chunk.subarray(0, left));
        if (passed < fault.bytes) return;
        if (fault.kind === "cut") to.end();
        // What was written is still on its way: a reset would overtake it.
        else setTimeout(() => drop(from, to), 20);
        return;
      }
      case "drip": {
        from.pause();
        let at = 0;
        const timer = setInterval(() => {
          to.write(chunk.subarray(at, at + fault.bytes));
          at += fault.bytes;
          if (at < chunk.length && !to.destroyed) return;
          clearInterval(timer);
          from.resume();
        }, fault.every);
        return;
      }
      case "none":
      case "blackhole":
      case "refuse":
        to.write(chunk);
    }
  });
}

function serve(client: Socket, target: URL, fault: TcpFault): void {
  client.on("error", () => client.destroy());
  if (fault.kind === "blackhole") return void client.resume();
  if (fault.kind === "reset" && fault.bytes === 0) return void client.once("data", () => drop(client));
  const server = connect(Number(target.port), target.hostname);
  server.on("error", () => drop(client));
  client.on("data", (chunk: Buffer) => {
    if (fault.kind === "latency") setTimeout(() => server.write(chunk), fault.ms);
    else server.write(chunk);
  });
  relayAnswer(fault, server, client);
  const wait = fault.kind === "latency" ? fault.ms + 5 : 0;
  client.once("close", () => server.destroy());
  server.once("end", () => void setTimeout(() => client.end(), wait));
}

/** A network between a client and `target` (an origin on loopback) that can be made to fail. */
export async function startTcpFaults(target: string): Promise<TcpFaults> {
  const sockets = new Set<Socket>();
  let fault: TcpFault = { kind: "none" };
  let count = 0;
  const port = await freePort();
  const server = createServer((socket) => {
    count += 1;
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    serve(socket, new URL(target), fault);
  });
  const listen = async (): Promise<void> =>
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", () => {
        server.off("error", reject);
        resolve();
      });
    });
  const stop = async (): Promise<void> => {
    // Kept-alive connections were made under the fault before.
    for (const socket of sockets) socket.destroy();
    if (server.listening) await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  await listen();
  return {
    url: `http://127.0.0.1:${port}`,
    count: () => count,
    async set(next) {
      await stop();
      fault = next;
      if (next.kind !== "refuse") await listen();
    },
    close: stop,
  };
}
