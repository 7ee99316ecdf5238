import type { z } from "zod";

/** What the API answers instead of an object. */
export class StripeFailure extends Error {
  override readonly name = "StripeFailure";
  readonly status: number;
  readonly body: { readonly error: Readonly<Record<string, string>> };

  constructor(status: number, error: Readonly<Record<string, string>>) {
    super(error["message"] ?? "");
    this.status = status;
    this.body = { error };
  }
}

export function missing(what: string, id: string): StripeFailure {
  return new StripeFailure(404, {
    type: "invalid_request_error",
    code: "resource_missing",
    message: `No such ${what}: '${id}'`,
  });
}

export function invalid(message: string, code = "parameter_invalid"): StripeFailure {
  return new StripeFailure(400, { type: "invalid_request_error", code, message });
}

type Tree = { [name: string]: Tree | string };

/** `items[0][id]=si_1` → `{items: [{id: "si_1"}]}`, the way Stripe reads forms. */
export function parseForm(text: string): unknown {
  const tree: Tree = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const path = name.split(/[[\]]+/).filter((part) => part !== "");
    let at = tree;
    for (const part of path.slice(0, -1)) {
      const next = at[part] ?? {};
      if (typeof next === "string") throw invalid(`Invalid object: ${name}`);
      at[part] = next;
      at = next;
    }
    at[path.at(-1) ?? ""] = value;
  }
  return withArrays(tree);
}

function withArrays(tree: Tree): unknown {
  const entries = Object.entries(tree).map(
    ([name, value]) => [name, typeof value === "string" ? value : withArrays(value)] as const,
  );
  const isList = entries.length > 0 && entries.every(([name]) => /^\d+$/.test(name));
  return isList ? entries.map(([, value]) => value) : Object.fromEntries(entries);
}

/** Refuses what the schema does not know: a parameter that Stripe does not have must not pass here either. */
export function checkParams<T extends z.ZodType>(schema: T, given: unknown): z.output<T> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const unknown = issue?.code === "unrecognized_keys" ? "parameter_unknown" : "parameter_invalid";
  throw invalid(`${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`, unknown);
}
