import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

export interface Listening {
  /** Origin, without a slash at the end. */
  url: string;
  server: Server;
  /** Cuts what is open and stops. */
  close(): Promise<void>;
}

/** Serves on 127.0.0.1; port 0 takes a free one. A handler that throws answers 500 with its message. */
export async function listenOnLoopback(
  port: number,
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void> | void,
): Promise<Listening> {
  const server = createServer((request, response) => {
    Promise.resolve(handle(request, response)).catch((error: unknown) => {
      if (response.headersSent || response.destroyed) response.destroy();
      else response.writeHead(500, { "Content-Type": "text/plain" }).end(String(error));
    });
  });
  // workerd keeps an idle connection for 5 s, as Node does: whichever of them closes it, the other may be about to use it.
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("not listening on a port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    server,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}
