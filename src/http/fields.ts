import { z } from "zod";

/** What people type as a name: trimmed, one line, no control characters. */
export const label = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, { error: "must be one line of text" });
