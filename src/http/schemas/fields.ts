import { z } from "zod";

/** What people type as a name: trimmed, one line, no control characters. */
export const label = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, { error: "must be one line of text" });

export const time = z.iso.datetime().meta({ description: "UTC, RFC 3339 with milliseconds." });
export const maybeTime = time.nullable();

/** Names in a path: anything may be asked for, and what is not known is a 404. */
export const id = z.string().max(60);

export const limitOf = (max: number, fallback: number) =>
  z.coerce.number().int().min(1).max(max).default(fallback);

const fieldError = z.strictObject({ path: z.string(), message: z.string() });

/** RFC 9457. */
export const problemBody = z
  .strictObject({
    type: z.literal("about:blank"),
    title: z.string(),
    status: z.number().int(),
    code: z.string(),
    detail: z.string(),
    errors: z.array(fieldError).optional(),
    created: z
      .string()
      .optional()
      .meta({ description: "What an earlier request with the same key created." }),
  })
  .meta({ id: "Problem" });
