/** One call of the JSON API. It never throws: every outcome is an {@link Answer}. */
import type { ZodMiniType } from "zod/mini";
import { problemSchema } from "./schemas.ts";
import { currentSession, endSession } from "./session.ts";

/** `errors` maps an input's path in the request (`fields.api_key`) to what is wrong with it. */
export type Failure =
  | { kind: "no_answer" }
  | { kind: "unreadable"; status: number }
  | { kind: "problem"; status: number; code: string; detail: string; errors: ReadonlyMap<string, string> };

export type Answer<T> = { ok: true; value: T } | { ok: false; failure: Failure };

/** Validating a key takes the service's own time; beyond this the person should hear something. */
const patienceMs = 60_000;

interface Call {
  method: "GET" | "POST" | "PATCH" | "DELETE";
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
}

export async function send<T>(schema: ZodMiniType<T>, call: Call): Promise<Answer<T>> {
  const answer = await sendText(call);
  if (!answer.ok) return answer;
  const parsed = schema.safeParse(parseJson(answer.value));
  return parsed.success
    ? { ok: true, value: parsed.data }
    : { ok: false, failure: { kind: "unreadable", status: 200 } };
}

/** The same for an answer that is not one JSON document. */
export async function sendText({ method, path, body, headers: more }: Call): Promise<Answer<string>> {
  const { current } = currentSession();
  const headers = new Headers({ Accept: "application/json", ...more });
  let response: Response;
  let text: string;
  try {
    const token = await current?.bearer();
    if (token !== undefined) headers.set("Authorization", `Bearer ${token}`);
    if (body !== undefined) headers.set("Content-Type", "application/json");
    response = await fetch(path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
      signal: AbortSignal.timeout(patienceMs),
    });
    text = await response.text();
  } catch {
    return { ok: false, failure: { kind: "no_answer" } };
  }
  if (response.ok) return { ok: true, value: text };
  const failure = readProblem(response.status, parseJson(text));
  // Another sign-in may have come while this was under way.
  if (response.status === 401 && current !== undefined && currentSession().current === current) {
    const erased = failure.kind === "problem" && failure.code === "account_erasing";
    endSession(erased ? "erased" : "expired");
  }
  return { ok: false, failure };
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

/** What is wrong with one input. */
export const errorAt = (failure: Failure | undefined, path: string): string | undefined =>
  failure?.kind === "problem" ? failure.errors.get(path) : undefined;
