import { Fault } from "../lib/fault.ts";
import { errorKind, type RouteName } from "../lib/log.ts";
import { readCapped } from "../lib/outbound.ts";
import { pathOf } from "../lib/path.ts";
import { admit, type Admitted } from "../proxy/admit.ts";
import { takeBody, type RequestBody } from "../proxy/body.ts";
import { forward } from "../proxy/forward.ts";
import { parseMcpPath, type McpAddress } from "../proxy/route.ts";
import { noteCall } from "../proxy/usage.ts";
import { parseApiKey, parseCredential, type Credential } from "../vault/credential.ts";
import { VaultError } from "../vault/error.ts";
import { callerOf } from "./address.ts";
import type { Runtime } from "./context.ts";
import { rpcRefusal } from "./jsonrpc.ts";
import { notFound } from "./not-found.ts";
import { problem } from "./problem.ts";

/** A refused request is read this far for its id. */
const refusedBodyLimit = 64 * 1024;

const methods = new Set(["POST", "GET", "DELETE"]);

/** A proxied request, from top to bottom. */
export async function serveMcp(request: Request, runtime: Runtime): Promise<Response> {
  const address = parseMcpPath(pathOf(request.url));
  if (address === undefined) return await notFound(request, runtime);
  let body: RequestBody | undefined;
  let admitted: Admitted | undefined;
  const startedAt = runtime.clock();
  try {
    checkOrigin(request.headers, runtime);
    if (!methods.has(request.method))
      throw new Fault("method_not_allowed", { params: { allow: "POST, GET, DELETE" } });
    const credential = readCredential(address, request.headers, runtime);
    admitted = await admit(address.service, credential, runtime);
    body = await takeBody(request);
    const response = await forward({ request, address, body, admitted }, runtime);
    noteCall(admitted.row, { startedAt, response }, runtime);
    return response;
  } catch (error) {
    if (admitted !== undefined && error instanceof Fault) {
      noteCall(admitted.row, { startedAt, fault: error.code }, runtime);
    }
    return await refuse(error, request, address, body, runtime);
  }
}

/** A web page on another origin must not spend a credential that it found (DNS rebinding, drive-by requests). */
function checkOrigin(headers: Headers, runtime: Runtime): void {
  const origin = headers.get("origin");
  if (origin === null || origin === runtime.site.publicUrl || runtime.site.adminUrls.includes(origin)) return;
  throw new Fault("origin_not_allowed");
}

/** The credential of the path, else of the headers. A malformed one is unknown, before anything is looked up. */
function readCredential(address: McpAddress, headers: Headers, runtime: Runtime): Credential {
  if (address.credential !== undefined) {
    const credential = parseCredential(address.credential);
    if (credential === undefined) throw new Fault("unknown_credential");
    return credential;
  }
  const bearer = /^Bearer +(\S+)$/i.exec(headers.get("authorization") ?? "")?.[1];
  const given = [bearer, headers.get("x-api-key")?.trim()].filter(
    (text) => text !== undefined && text !== "",
  );
  if (given.length === 0) throw new Fault("missing_credential");
  for (const text of given) {
    const credential = parseApiKey(text ?? "", runtime.environment);
    if (credential !== undefined) return credential;
  }
  throw new Fault("unknown_credential");
}

/** Answers a refusal so that MCP clients show its sentence: as JSON-RPC where the request's id is known. */
async function refuse(
  error: unknown,
  request: Request,
  address: McpAddress,
  body: RequestBody | undefined,
  runtime: Runtime,
): Promise<Response> {
  const route = routeName(address);
  const fault = await withContext(error, request, address, body, runtime, route);
  runtime.log({ event: "request_refused", route, fault: fault.code });
  if (request.method !== "POST" || plainStatus.has(fault.code)) return problem(fault);
  const bytes = body === undefined ? await readRefusedBody(request) : body.kept;
  return rpcRefusal(fault, bytes) ?? problem(fault);
}

/** Clients act on these statuses: they start over with the older transport, or tell the person to configure a key. */
const plainStatus: ReadonlySet<string> = new Set<Fault["code"]>([
  "method_not_allowed",
  "missing_credential",
  "origin_not_allowed",
]);

async function withContext(
  error: unknown,
  request: Request,
  address: McpAddress,
  body: RequestBody | undefined,
  runtime: Runtime,
  route: RouteName,
): Promise<Fault> {
  const params = {
    page: runtime.site.adminUrls[0],
    service: runtime.catalogue.get(address.service)?.name ?? "the service",
  };
  if (!(error instanceof Fault)) {
    if (error instanceof VaultError && error.code === "unknown_key") return new Fault("master_key_missing");
    runtime.log({ event: "request_crashed", route, error: errorKind(error) });
    return new Fault(errorKind(error) === "D1" ? "storage_unavailable" : "internal", { retryAfter: 5 });
  }
  if (body?.exceeded?.aborted === true)
    return new Fault("payload_too_large", { params: { limit: "100 MiB" } });
  const wait = await waitAfterMiss(error, request, runtime);
  if (wait !== undefined) return new Fault("rate_limited", { retryAfter: wait });
  return new Fault(error.code, {
    params: { ...params, ...error.params },
    ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }),
  });
}

/** Seconds, where the credential is none and its sender tried too many. */
async function waitAfterMiss(
  { code }: Fault,
  request: Request,
  runtime: Runtime,
): Promise<number | undefined> {
  if (code !== "unknown_credential" && code !== "missing_credential") return undefined;
  const { headers, url } = request;
  const tried = `${pathOf(url)} ${headers.get("authorization") ?? ""} ${headers.get("x-api-key") ?? ""}`;
  const offence = code === "unknown_credential" ? "guess" : "innocent";
  return await runtime.guard({ caller: callerOf(headers), offence, tried }, runtime);
}

async function readRefusedBody(request: Request): Promise<Uint8Array | undefined> {
  return request.bodyUsed ? undefined : await readCapped(request, refusedBodyLimit);
}

function routeName(address: McpAddress): RouteName {
  return address.credential === undefined ? "mcp_header" : "mcp_url";
}
