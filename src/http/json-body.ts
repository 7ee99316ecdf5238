import type { z } from "zod";
import { fromUtf8 } from "../lib/bytes.ts";
import { Fault } from "../lib/fault.ts";
import { speakable } from "../lib/field-name.ts";
import { readCapped } from "../lib/outbound.ts";

const bodyLimit = 64 * 1024;

/** Reads a request's JSON body against a strict schema, or throws a fault that names each wrong field. */
export async function readJson<T extends z.ZodType>(request: Request, schema: T): Promise<z.output<T>> {
  return parseJson(await readBody(request), schema);
}

/** The bytes of a JSON body. */
export async function readBody(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  const type = request.headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/json") throw new Fault("unsupported_media_type");
  const bytes = await readCapped(request, bodyLimit);
  if (bytes === undefined) throw new Fault("payload_too_large", { params: { limit: "64 KiB" } });
  return bytes;
}

export function parseJson<T extends z.ZodType>(bytes: Uint8Array, schema: T): z.output<T> {
  return check(schema, parse(bytes));
}

/** Checks values from elsewhere (a query string) the same way. */
export function check<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const parsed = schema.safeParse(value, { error: sentenceOf });
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map(({ path, message }) => ({
    path: path.map(speakable).join("."),
    message,
  }));
  throw new Fault("invalid_request", { errors });
}

/** For a person, and never with what was sent; undefined where zod's own words have to do. */
function sentenceOf(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === "unrecognized_keys") return unrecognized(issue.keys);
  if (issue.code === "invalid_type")
    return issue.input === undefined ? "This is needed." : `This must be of type ${issue.expected}.`;
  if (issue.code === "invalid_value") {
    const values = issue.values.map((value) => `"${String(value)}"`).join(", ");
    return `This must be ${issue.values.length === 1 ? "" : "one of "}${values}.`;
  }
  if (issue.code === "too_small") {
    if (issue.origin === "number") return `This must be at least ${issue.minimum}.`;
    if (issue.minimum === 1) return "This must not be empty.";
    return issue.origin === "string" ? `At least ${issue.minimum} characters are needed.` : undefined;
  }
  if (issue.code === "too_big") {
    if (issue.origin === "number") return `This must be at most ${issue.maximum}.`;
    return issue.origin === "string" ? `This is too long: at most ${issue.maximum} characters.` : undefined;
  }
  return undefined;
}

function unrecognized(names: readonly string[]): string {
  const known = names.map(speakable).filter((name) => name !== "?");
  return known.length === names.length
    ? `There is no such field: ${known.join(", ")}.`
    : "There are fields here that this request does not have.";
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(fromUtf8(bytes));
  } catch {
    throw new Fault("invalid_json");
  }
}
