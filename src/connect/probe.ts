import { fromUtf8 } from "../lib/bytes.ts";
import { second } from "../lib/clock.ts";
import { Deadline } from "../lib/deadline.ts";
import type { Defer } from "../lib/defer.ts";
import { Fault } from "../lib/fault.ts";
import { OutboundError, readCapped, type Outbound } from "../lib/outbound.ts";
import { readPath } from "../services/json-path.ts";
import { formatHeader } from "../services/key-mode.ts";
import type { KeyMode } from "../services/service.ts";
import { resultIn } from "./probe-answer.ts";

/** How long a service may take for each question, answer and all. */
const patience = 15 * second;
/** An answer to `initialize` larger than this is no answer to it. */
const answerLimit = 256 * 1024;

export interface ProbeDeps {
  readonly outbound: Outbound;
  readonly defer: Defer;
  readonly site: { readonly brand: string };
}

interface Target {
  readonly url: string;
  /** Name for messages. */
  readonly service: string;
  /** The secret's header and any other that the service wants. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A key, and the request that its service takes it with. */
interface KeyQuestion {
  readonly validation: Extract<KeyMode["validation"], { kind: "request" }>;
  readonly secret: string;
  /** Name for messages. */
  readonly service: string;
}

type Answer =
  | { readonly kind: "mcp"; readonly session: string | null }
  | { readonly kind: "legacy_stream" }
  | { readonly kind: "other" };

/**
 * Asks whether an MCP server answers here and accepts the key, as clients of every revision would: `initialize`
 * (2024-11-05 … 2025-11-25), `server/discover` (2026-07-28), then the stream of HTTP+SSE. Returns the transport, or
 * throws a fault that says what to mend.
 */
export async function probeMcp(target: Target, deps: ProbeDeps): Promise<"http" | "sse"> {
  const initialized = await post(target, initialize(deps.site.brand), {}, deps);
  if (initialized.kind === "mcp") {
    if (initialized.session !== null)
      deps.defer("end_probe_session", endSession(target, initialized.session, deps));
    return "http";
  }
  const modern = { "mcp-protocol-version": "2026-07-28", "mcp-method": "server/discover" };
  if ((await post(target, discover(deps.site.brand), modern, deps)).kind === "mcp") return "http";
  if ((await openStream(target, deps)).kind === "legacy_stream") return "sse";
  throw new Fault("not_an_mcp_server", { params: { service: target.service } });
}

/** Asks again over a transport that is known, with as few requests as that takes. Throws like `probeMcp`. */
export async function probeAgain(target: Target, transport: "http" | "sse", deps: ProbeDeps): Promise<void> {
  if (transport === "http") await probeMcp(target, deps);
  else if ((await openStream(target, deps)).kind !== "legacy_stream")
    throw new Fault("not_an_mcp_server", { params: { service: target.service } });
}

async function post(
  target: Target,
  message: object,
  headers: Readonly<Record<string, string>>,
  deps: ProbeDeps,
): Promise<Answer> {
  const answer = await ask(
    target,
    {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        ...headers,
      },
      body: JSON.stringify(message),
    },
    deps,
  );
  if (!answer.ok || answer.body === null) {
    await answer.body?.cancel();
    return { kind: "other" };
  }
  const events = answer.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
  const found = await resultIn(answer.body, events, answerLimit);
  return found ? { kind: "mcp", session: answer.headers.get("mcp-session-id") } : { kind: "other" };
}

async function openStream(target: Target, deps: ProbeDeps): Promise<Answer> {
  const answer = await ask(target, { method: "GET", headers: { accept: "text/event-stream" } }, deps);
  const isStream =
    answer.ok && (answer.headers.get("content-type")?.startsWith("text/event-stream") ?? false);
  await answer.body?.cancel();
  return { kind: isStream ? "legacy_stream" : "other" };
}

async function endSession(target: Target, session: string, deps: ProbeDeps): Promise<void> {
  const answer = await ask(target, { method: "DELETE", headers: { "mcp-session-id": session } }, deps);
  await answer.body?.cancel();
}

interface Asked {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** One request with the key. A refusal of the key, no answer, or an error of the service's own end the probe. */
async function ask(target: Target, asked: Asked, deps: ProbeDeps): Promise<Response> {
  const params = { service: target.service };
  let answer: Response;
  try {
    answer = await deps.outbound(target.url, {
      method: asked.method,
      headers: { ...asked.headers, ...target.headers, "user-agent": deps.site.brand },
      ...(asked.body === undefined ? {} : { body: asked.body }),
      deadline: new Deadline(patience),
    });
  } catch (error) {
    // Refused, timed out, internal: one answer, so that nobody maps a network through us.
    if (error instanceof OutboundError) throw new Fault("target_unreachable", { params });
    throw error;
  }
  if (answer.status === 401 || answer.status === 403) await refuse(answer, "key_rejected", params);
  if (answer.status === 429 || answer.status >= 500) await refuse(answer, "service_failing", params);
  return answer;
}

async function refuse(
  answer: Response,
  code: "key_rejected" | "service_failing",
  params: Readonly<Record<string, string>>,
): Promise<never> {
  await answer.body?.cancel();
  throw new Fault(code, { params });
}

/**
 * A request of the service's own API that shows whether the key is good, as the definition describes it. Throws
 * `key_rejected` where the service says so; `unexpected` is an answer that says nothing of the key.
 */
export async function probeRequest(
  { validation, secret, service }: KeyQuestion,
  deps: ProbeDeps,
): Promise<"accepted" | "unexpected"> {
  const { expect } = validation;
  const target = {
    url: validation.url,
    service,
    headers: { [validation.header.name]: formatHeader(validation.header, secret) },
  };
  const body = validation.body === undefined ? {} : { body: validation.body };
  const answer = await ask(target, { method: validation.method, headers: validation.headers, ...body }, deps);
  const bytes = await readCapped(answer, answerLimit);
  if (answer.status !== expect.status || bytes === undefined) return "unexpected";
  const path = expect.json_path;
  if (path === undefined || (readPath(parse(bytes), path) ?? null) !== null) return "accepted";
  throw new Fault("key_rejected", { params: { service } });
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(fromUtf8(bytes));
  } catch {
    return undefined;
  }
}

function initialize(brand: string): object {
  return {
    jsonrpc: "2.0",
    id: 1,
    method: "initialize",
    params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: brand, version: "1" } },
  };
}

function discover(brand: string): object {
  const prefix = "io.modelcontextprotocol/";
  return {
    jsonrpc: "2.0",
    id: 2,
    method: "server/discover",
    params: {
      _meta: {
        [`${prefix}protocolVersion`]: "2026-07-28",
        [`${prefix}clientInfo`]: { name: brand, version: "1" },
        [`${prefix}clientCapabilities`]: {},
      },
    },
  };
}
