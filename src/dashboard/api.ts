/** The page's only way to the server. It never throws: every outcome is an {@link Answer}. */
import type { ZodMiniType } from "zod/mini";
import {
  begunSchema,
  configSchema,
  connectedSchema,
  connectionSchema,
  connectionsSchema,
  disconnectedSchema,
  meSchema,
  problemSchema,
  servicesSchema,
  type StorageMode,
} from "./schemas.ts";
import { currentSession, endSession } from "./session.ts";

/** `errors` maps an input's path in the request (`fields.api_key`) to what is wrong with it. */
export type Failure =
  | { kind: "no_answer" }
  | { kind: "unreadable"; status: number }
  | { kind: "problem"; status: number; code: string; detail: string; errors: ReadonlyMap<string, string> };

export type Answer<T> = { ok: true; value: T } | { ok: false; failure: Failure };

export interface ConnectInput {
  service: string;
  mode?: string;
  url?: string;
  fields: Record<string, string>;
  header?: { name: string; prefix: string };
  storage?: StorageMode;
  label?: string;
}

export interface SignInInput {
  service?: string;
  /** Id of the connection to sign in again; in place of `service`. */
  reauthorize?: string;
  url?: string;
  client?: { id: string; secret?: string };
  storage?: StorageMode;
  label?: string;
  return_to: string;
}

/** What the provider sent back, and with `credential` the wish to keep that one. */
export interface SignInAnswer {
  state: string;
  code?: string;
  iss?: string;
  error?: string;
  error_description?: string;
  credential?: string;
}

/** Validating a key takes the service's own time; beyond this the person should hear something. */
const patienceMs = 60_000;

export const api = {
  config: () => send(configSchema, "GET", "/api/config"),
  me: () => send(meSchema, "GET", "/api/me"),
  services: () => send(servicesSchema, "GET", "/api/services"),
  connections: (cursor?: string) =>
    send(
      connectionsSchema,
      "GET",
      `/api/connections${cursor ? `?cursor=${encodeURIComponent(cursor)}` : ""}`,
    ),
  connect: (input: ConnectInput) => send(connectedSchema, "POST", "/api/connections", input),
  connection: (id: string) => send(connectionSchema, "GET", connectionPath(id)),
  authorize: (input: SignInInput) => send(begunSchema, "POST", "/api/connections/authorize", input),
  complete: (answer: SignInAnswer) => send(connectedSchema, "POST", "/api/connections/complete", answer),
  regenerate: ({ id, credential }: Presented) =>
    send(connectedSchema, "POST", `${connectionPath(id)}/credential`, credential ? { credential } : {}),
  rename: (id: string, label: string) => send(connectionSchema, "PATCH", connectionPath(id), { label }),
  disconnect: ({ id, credential }: Presented) =>
    send(
      disconnectedSchema,
      "DELETE",
      connectionPath(id),
      undefined,
      credential ? { "Bindify-Credential": credential } : {},
    ),
};

/** A connection, with its present credential if its holder gave it. */
interface Presented {
  id: string;
  credential?: string;
}

const connectionPath = (id: string) => `/api/connections/${encodeURIComponent(id)}`;

async function send<T>(
  schema: ZodMiniType<T>,
  method: "GET" | "POST" | "PATCH" | "DELETE",
  path: string,
  body?: unknown,
  more: Record<string, string> = {},
): Promise<Answer<T>> {
  const { token } = currentSession();
  const headers = new Headers({ Accept: "application/json", ...more });
  if (token !== undefined) headers.set("Authorization", `Bearer ${token}`);
  if (body !== undefined) headers.set("Content-Type", "application/json");
  let response: Response;
  let content: unknown;
  try {
    response = await fetch(path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
      signal: AbortSignal.timeout(patienceMs),
    });
    content = parseJson(await response.text());
  } catch {
    return { ok: false, failure: { kind: "no_answer" } };
  }
  // The token may have been replaced by a newer sign-in while this was under way.
  if (response.status === 401 && token !== undefined && currentSession().token === token) {
    endSession("expired");
  }
  if (!response.ok) return { ok: false, failure: readProblem(response.status, content) };
  const parsed = schema.safeParse(content);
  if (!parsed.success) return { ok: false, failure: { kind: "unreadable", status: response.status } };
  return { ok: true, value: parsed.data };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readProblem(status: number, content: unknown): Failure {
  const parsed = problemSchema.safeParse(content);
  if (!parsed.success) return { kind: "unreadable", status };
  const { code, title, detail, errors } = parsed.data;
  const byPath = new Map((errors ?? []).map((error) => [error.path, error.message]));
  return { kind: "problem", status, code, detail: detail ?? title, errors: byPath };
}

/** A sentence for a person. */
export function explain(failure: Failure): string {
  if (failure.kind === "problem") return failure.detail;
  if (failure.kind === "unreadable") {
    return `The server answered in a way this page does not understand (HTTP ${failure.status}).`;
  }
  return navigator.onLine
    ? "The server did not answer. Check that it is running, then try again."
    : "This device is offline. Try again once it is connected.";
}
