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
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map((issue) => ({
    path: issue.path.map(speakable).join("."),
    message: issue.code === "unrecognized_keys" ? unrecognized(issue.keys) : issue.message,
  }));
  throw new Fault("invalid_request", { errors });
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
