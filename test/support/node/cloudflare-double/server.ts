import type { IncomingMessage, ServerResponse } from "node:http";
import { listenOnLoopback } from "../listening.ts";
import { createAccount, Refused, type Account } from "./account.ts";
import { assetRoutes } from "./asset-routes.ts";
import type { Route } from "./route.ts";
import { storageRoutes } from "./storage-routes.ts";
import { userRoutes } from "./user-routes.ts";
import { workerRoutes } from "./worker-routes.ts";

const base = "/client/v4";
const routes: readonly Route[] = [...userRoutes, ...storageRoutes, ...workerRoutes, ...assetRoutes];

export interface CloudflareDouble {
  /** The API's address. */
  readonly url: string;
  readonly account: Account;
  /** Hosts that were asked for through this server as a proxy: nobody is to be asked but the API. */
  readonly outside: readonly string[];
  close(): Promise<void>;
}

/**
 * A stand-in for Cloudflare's API with one account: what wrangler asks for in a deployment and in a rotation of keys,
 * with memory. Databases are real SQLite, and refer to nothing that is not there; everything else is kept as it came.
 */
export async function startCloudflareDouble(): Promise<CloudflareDouble> {
  const account = createAccount();
  const outside: string[] = [];
  const listening = await listenOnLoopback(0, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    await answer(account, request, Buffer.concat(chunks), response);
  });
  listening.server.on("connect", (request, socket) => {
    outside.push(request.url ?? "");
    // Who is refused may be gone by then.
    socket.on("error", () => undefined);
    // Not cut off without an answer: undici would knock again and again, and whoever uses it would never end.
    socket.end("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  });
  return { url: `${listening.url}${base}`, account, outside, close: () => listening.close() };
}

async function answer(
  account: Account,
  request: IncomingMessage,
  bytes: Buffer,
  response: ServerResponse,
): Promise<void> {
  try {
    const { status = 200, ...rest } = await run(account, request, bytes);
    send(response, status, { success: true, errors: [], messages: [], ...rest });
  } catch (error) {
    const { status, code, message } =
      error instanceof Refused ? error : new Refused(500, 10_013, `the double failed: ${String(error)}`);
    send(response, status, { success: false, errors: [{ code, message }], messages: [], result: null });
  }
}

async function run(account: Account, request: IncomingMessage, bytes: Buffer) {
  const { method = "", headers } = request;
  const url = new URL(request.url ?? "/", "http://double");
  const path = url.pathname.replace(base, "").replace(`/accounts/${account.id}/`, "/");
  const body = bytes.toString("utf8");
  account.arrivals.push({ method, path, body });
  const token = /^Bearer (.+)$/.exec(headers.authorization ?? "")?.[1] ?? "";
  const refusal = account.refusals.find((one) => one.method === method && one.path.test(path));
  if (refusal !== undefined) throw new Refused(refusal.status, refusal.code, refusal.message);
  if (token !== account.token && !account.sessions.has(token)) throw notAdmitted(path);
  const route = routes.find((one) => one.method === method && one.path.test(path));
  if (route === undefined) {
    account.unknown.push(`${method} ${path}`);
    throw new Refused(404, 7003, `Could not route to ${path}`);
  }
  const type = headers["content-type"] ?? "";
  const answered = await route.run({
    account,
    id: decodeURIComponent(route.path.exec(path)?.[1] ?? ""),
    query: url.searchParams,
    body,
    form: () => new Response(new Uint8Array(bytes), { headers: { "content-type": type } }).formData(),
    token,
  });
  if (method !== "GET") account.atWork?.();
  return answered;
}

/** What is said to a token that is not known differs from part to part. */
function notAdmitted(path: string): Refused {
  if (path === "/user/tokens/verify") return new Refused(401, 1000, "Invalid API Token");
  if (/^\/(?:user|accounts|memberships)$/.test(path)) return new Refused(403, 9109, "Invalid access token");
  return new Refused(401, 10_000, "Authentication error");
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}
