/** Answers about the account: its audit log, its API tokens, and its end. */
import * as z from "zod/mini";

const detailValue = z.union([z.string(), z.number(), z.boolean(), z.null()]);

const eventSchema = z.object({
  seq: z.number(),
  at: z.string(),
  type: z.string(),
  actor: z.string(),
  connection_id: z.nullish(z.string()),
  service: z.nullish(z.string()),
  detail: z.record(z.string(), detailValue),
  hash: z.string(),
});

export const eventsSchema = z.object({
  events: z.array(eventSchema),
  next_cursor: z.nullish(z.string()),
});

const placeSchema = z.object({ seq: z.number(), hash: z.string() });

export const verifiedSchema = z.object({
  ok: z.boolean(),
  checked: z.number(),
  first_broken: z.nullish(z.number()),
  expect: z.nullish(z.string()),
  head: placeSchema,
  checkpoint: placeSchema,
  next_cursor: z.nullish(z.string()),
});

/** The last line of an export: where to go on. */
export const exportFooterSchema = z.object({ kind: z.literal("footer"), next_after: z.nullable(z.number()) });

const tokenSchema = z.object({
  id: z.string(),
  name: z.string(),
  scope: z.string(),
  prefix: z.string(),
  created_at: z.string(),
  last_used_at: z.nullish(z.string()),
  expires_at: z.nullish(z.string()),
  expired: z.boolean(),
});

export const tokensSchema = z.object({ tokens: z.array(tokenSchema) });
export const tokenMadeSchema = z.object({ token: tokenSchema, secret: z.string() });
export const tokenRevokedSchema = z.object({ token: tokenSchema });

export const erasedSchema = z.object({
  status: z.string(),
  left_at_services: z.array(
    z.object({
      service: z.string(),
      service_name: z.string(),
      kind: z.string(),
      connections: z.number(),
      reason: z.string(),
      provider_url: z.nullish(z.string()),
    }),
  ),
});

export const nonceSchema = z.object({ nonce: z.string() });
export const sentSchema = z.object({ status: z.string() });

export type AuditEvent = z.infer<typeof eventSchema>;
export type Verified = z.infer<typeof verifiedSchema>;
export type ApiToken = z.infer<typeof tokenSchema>;
export type TokenMade = z.infer<typeof tokenMadeSchema>;
export type Erased = z.infer<typeof erasedSchema>;
