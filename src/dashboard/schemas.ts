/** What the API answers, as this page reads it. Unknown members are dropped, so the server may add to them. */
import * as z from "zod/mini";

// The compiled parsers need `new Function`, which the content security policy refuses (and reports).
z.config({ jitless: true });

export const configSchema = z.object({
  brand_name: z.string(),
  public_url: z.string(),
  support_url: z.nullish(z.string()),
  identity: z.object({
    kind: z.string(),
    clerk_publishable_key: z.nullish(z.string()),
    oidc: z.nullish(z.object({ issuer: z.string(), client_id: z.string(), audience: z.string() })),
  }),
  support_form: z.optional(z.boolean()),
});

/** What the workspace may use; `self_hosted`: this deployment has no billing. */
export const planSchema = z.object({
  name: z.string(),
  allowed: z.nullable(z.number()),
  until: z.nullable(z.string()),
  reason: z.string(),
});

const storageMode = z.enum(["zero_knowledge", "managed"]);

export const meSchema = z.object({
  id: z.string(),
  email: z.nullish(z.string()),
  name: z.nullish(z.string()),
  workspace_id: z.string(),
  identity: z.string(),
  audit_days: z.optional(z.number()),
  plan: z.optional(planSchema),
  storage_modes: z.array(storageMode),
});

const keyField = z.object({
  name: z.string(),
  label: z.string(),
  secret: z.boolean(),
  placeholder: z.nullish(z.string()),
  help: z.nullish(z.string()),
});

const keyMode = z.object({
  id: z.string(),
  label: z.string(),
  fields: z.array(keyField),
  create_key_url: z.nullish(z.string()),
  instructions: z.array(z.string()),
  header_choice: z.boolean(),
});

/** A person may sign in through an app of their own; where `required`, in no other way. */
const ownClient = z.object({
  required: z.boolean(),
  secret: z.enum(["required", "optional"]),
  create_url: z.nullish(z.string()),
  instructions: z.array(z.string()),
});

const serviceSchema = z.object({
  id: z.string(),
  name: z.string(),
  category: z.string(),
  description: z.string(),
  docs_url: z.nullish(z.string()),
  available: z.boolean(),
  unavailable_reason: z.nullish(z.string()),
  /** Ways in, here and now; `available` says so of any way. */
  oauth_available: z.boolean(),
  oauth_unavailable_reason: z.nullish(z.string()),
  key_available: z.boolean(),
  own_client: z.nullish(ownClient),
  url_required: z.boolean(),
  key_modes: z.array(keyMode),
  requirements: z.array(z.string()),
  notes: z.array(z.string()),
  warnings: z.array(z.string()),
});

export const servicesSchema = z.object({ services: z.array(serviceSchema) });

export const connectionSchema = z.object({
  id: z.string(),
  service: z.string(),
  service_name: z.string(),
  label: z.nullish(z.string()),
  kind: z.string(),
  storage: z.string(),
  status: z.string(),
  upstream_url: z.nullish(z.string()),
  state: z.string(),
  created_at: z.string(),
  last_used_at: z.nullish(z.string()),
  disconnected_at: z.nullish(z.string()),
  access_expires_at: z.nullish(z.string()),
  refreshable: z.nullish(z.boolean()),
  scope: z.nullish(z.string()),
  wanted_scope: z.nullish(z.string()),
  reminder: z.nullish(z.string()),
  revocation: z.nullish(z.string()),
});

export const connectionsSchema = z.object({
  connections: z.array(connectionSchema),
  next_cursor: z.nullish(z.string()),
});

const snippetSchema = z.object({
  client: z.string(),
  title: z.string(),
  language: z.string(),
  file: z.nullish(z.string()),
  text: z.string(),
  note: z.nullish(z.string()),
});

const credentialSchema = z.object({ secret_url: z.string(), api_key: z.string(), mcp_url: z.string() });

/** `credential` is null where the person keeps the one they have. */
export const connectedSchema = z.object({
  connection: connectionSchema,
  credential: z.nullable(credentialSchema),
  snippets: z.array(snippetSchema),
});

export const begunSchema = z.object({
  authorization_url: z.string(),
  state: z.string(),
  authorization_server: z.string(),
  resource_server: z.string(),
});

export const disconnectedSchema = z.object({
  connection: connectionSchema,
  revocation: z.object({
    outcome: z.string(),
    detail: z.nullish(z.string()),
    provider_url: z.nullish(z.string()),
  }),
  purged: z.optional(z.boolean()),
});

export const healthSchema = z.object({
  health: z.string(),
  sentence: z.string(),
  access_expires_at: z.nullish(z.string()),
  last_refreshed_at: z.nullish(z.string()),
});

export const activitySchema = z.object({
  days: z.array(
    z.object({
      day: z.string(),
      requests: z.number(),
      errors: z.number(),
      refreshes: z.number(),
      bytes: z.number(),
      duration_ms: z.number(),
    }),
  ),
});

export const problemSchema = z.object({
  title: z.string(),
  code: z.string(),
  detail: z.nullish(z.string()),
  errors: z.optional(z.array(z.object({ path: z.string(), message: z.string() }))),
});

export type Config = z.infer<typeof configSchema>;
export type Me = z.infer<typeof meSchema>;
export type StorageMode = z.infer<typeof storageMode>;
export type KeyMode = z.infer<typeof keyMode>;
export type OwnClient = z.infer<typeof ownClient>;
export type Service = z.infer<typeof serviceSchema>;
export type Connection = z.infer<typeof connectionSchema>;
export type Health = z.infer<typeof healthSchema>;
export type Day = z.infer<typeof activitySchema>["days"][number];
export type Snippet = z.infer<typeof snippetSchema>;
export type Credential = z.infer<typeof credentialSchema>;
export type Begun = z.infer<typeof begunSchema>;
export type Connected = z.infer<typeof connectedSchema>;
export type Disconnected = z.infer<typeof disconnectedSchema>;
