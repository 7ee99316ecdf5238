import { z } from "zod";
import { holdsCredential } from "../credential-in-text.ts";
import { plan } from "./billing.ts";
import { label, maybeTime, time } from "./fields.ts";

const identityKind = z.enum(["local", "clerk", "oidc", "none"]);

export const me = z
  .strictObject({
    id: z.string(),
    email: z.string().nullable(),
    name: z.string().nullable(),
    workspace_id: z.string(),
    identity: identityKind,
    storage_modes: z.array(z.enum(["zero_knowledge", "managed"])),
    access: z.enum(["owner", "manage", "read"]).meta({ description: "`owner`: a signed-in person." }),
    plan,
    audit_days: z.number().int().meta({ description: "How long audit events are kept." }),
  })
  .meta({ id: "Me" });

export const config = z
  .strictObject({
    brand_name: z.string(),
    support_url: z.string().nullable(),
    public_url: z.string(),
    identity: z.strictObject({
      kind: identityKind,
      clerk_publishable_key: z.string().nullable(),
      oidc: z
        .strictObject({ issuer: z.string(), client_id: z.string(), audience: z.string() })
        .nullable()
        .meta({
          description: "What a page signs people in with: authorization code and PKCE, a public client.",
        }),
    }),
    support_form: z.boolean(),
  })
  .meta({ id: "Config" });

export const deletion = z.strictObject({ confirm: z.literal("delete my account") });

export const deleted = z.strictObject({
  status: z.enum(["erased", "erasing"]),
  left_at_services: z.array(
    z.strictObject({
      service: z.string(),
      service_name: z.string(),
      kind: z.enum(["key", "oauth"]),
      connections: z.number().int(),
      reason: z.string(),
      provider_url: z.string().nullable(),
    }),
  ),
});

const token = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    scope: z.enum(["read", "manage"]),
    prefix: z.string(),
    created_at: time,
    last_used_at: maybeTime,
    expires_at: maybeTime,
    expired: z.boolean(),
  })
  .meta({ id: "Token" });

export const tokens = z.strictObject({ tokens: z.array(token) });
export const oneToken = z.strictObject({ token });
export const newToken = z
  .strictObject({
    name: label,
    scope: z.enum(["read", "manage"]),
    expires_in_days: z.number().int().min(1).max(3650).optional(),
  })
  .meta({ id: "NewToken" });
export const createdToken = z.strictObject({
  token,
  secret: z.string().meta({ description: "Shown in this answer and never again." }),
});

/** One line, and text of many: no control characters, which a ticket cannot hold. */
/** A message goes to another company's desk, and nobody needs this to help. */
const withoutCredential = [
  (text: string) => !holdsCredential(text),
  { error: "There is a secret URL or API key in it: take it out. Nobody needs it to help you." },
] as const;

export const supportMessage = z
  .strictObject({
    subject: z
      .string()
      .trim()
      .min(1)
      .max(120)
      .regex(/^[^\p{Cc}\p{Cs}]*$/u, { error: "must be one line of text" })
      .refine(...withoutCredential),
    message: z
      .string()
      .trim()
      .min(1)
      .max(5000)
      .regex(/^(?:[^\p{Cc}\p{Cs}]|[\t\r\n])*$/u, { error: "must be plain text" })
      .refine(...withoutCredential),
    nonce: z
      .string()
      .regex(/^[\w-]{43}$/, { error: "must be one of GET /api/support/nonce" })
      .meta({ description: "From `GET /api/support/nonce`; it counts once, for ten minutes." }),
  })
  .meta({ id: "SupportMessage" });
export const supportNonce = z.strictObject({ nonce: z.string(), expires_at: time });
export const supportSent = z.strictObject({ status: z.literal("sent") });
