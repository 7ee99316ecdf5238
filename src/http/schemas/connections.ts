import { z } from "zod";
import { id, label, limitOf, maybeTime, time } from "./fields.ts";

const storage = z.enum(["zero_knowledge", "managed"]);
const presented = z
  .string()
  .max(300)
  .meta({ description: "The connection's present credential in any form: secret URL, API key, or bare." });

const healthName = z.enum([
  "working",
  "expires_soon",
  "reauthorize",
  "refused",
  "provider_unreachable",
  "never_used",
  "suspended",
  "disconnected",
]);

const outcome = z.enum([
  "not_applicable",
  "revoked",
  "failed",
  "pending",
  "awaiting_credential",
  "skipped",
  "unsupported",
]);

export const connection = z
  .strictObject({
    id: z.string(),
    service: z.string(),
    service_name: z.string(),
    label: z.string(),
    kind: z.enum(["key", "oauth"]),
    storage,
    status: z.enum(["active", "suspended", "disconnected"]),
    state: healthName,
    upstream_url: z.string().meta({
      description:
        "Where calls go. Of your own server's address the query is sealed where a key goes with it: it reads `?…`.",
    }),
    created_at: time,
    last_used_at: maybeTime,
    access_expires_at: maybeTime,
    refreshable: z.boolean(),
    refreshed_at: maybeTime,
    authorized_at: maybeTime,
    disconnected_at: maybeTime,
    scope: z.string().nullable(),
    wanted_scope: z
      .string()
      .nullable()
      .meta({ description: "What a call was refused for: signing in again asks for it." }),
    revocation: outcome.nullable(),
    reminder: z
      .enum(["reauthorize", "authorize_again_soon"])
      .nullable()
      .meta({ description: "What the person is asked for, also where no mail can say it." }),
  })
  .meta({ id: "Connection" });

const snippet = z.strictObject({
  client: z.string(),
  title: z.string(),
  language: z.enum(["shell", "json", "toml", "text"]),
  file: z.string().optional(),
  text: z.string(),
  note: z.string().optional(),
});

export const connected = z
  .strictObject({
    connection,
    credential: z
      .strictObject({ secret_url: z.string(), api_key: z.string(), mcp_url: z.string() })
      .nullable()
      .meta({ description: "Shown in this answer and never again; null where the present one stays." }),
    snippets: z.array(snippet),
  })
  .meta({ id: "Connected" });

export const signedIn = connected.extend({ extra_scope: z.array(z.string()) }).meta({ id: "SignedIn" });

export const newConnection = z
  .strictObject({
    service: z.string().max(40),
    url: z.string().max(2048).optional(),
    mode: z.string().max(40).optional(),
    fields: z.record(z.string().max(60), z.string().max(8192)),
    header: z.strictObject({ name: z.string().max(200), prefix: z.string().max(200).optional() }).optional(),
    storage: storage.default("zero_knowledge"),
    label: label.optional(),
    reauthorize: id.optional(),
    credential: presented.optional(),
  })
  .meta({ id: "NewConnection" });

export const connectionChange = z.strictObject({ label });
export const deletionQuery = z.strictObject({ purge: z.literal("now").optional() });
export const regeneration = z.strictObject({ credential: presented.optional() });

export const connectionsQuery = z.strictObject({
  limit: limitOf(100, 50),
  cursor: z
    .string()
    .regex(/^\d{1,15}\.con_[0-9a-f]{32}$/, { error: "must be the next_cursor of the page before" })
    .optional(),
});

export const connectionsPage = z.strictObject({
  connections: z.array(connection),
  next_cursor: z.string().nullable(),
});

export const disconnected = z.strictObject({
  connection,
  revocation: z.strictObject({ outcome, detail: z.string(), provider_url: z.string().optional() }),
  purged: z.boolean(),
});

export const health = z.strictObject({
  health: healthName,
  sentence: z.string(),
  access_expires_at: maybeTime,
  last_used_at: maybeTime,
  last_refreshed_at: maybeTime,
  reauthorize_since: maybeTime,
  refused_since: maybeTime,
  unreachable_since: maybeTime,
});

export const activityQuery = z.strictObject({ days: limitOf(90, 30) });

const count = z.number().int().min(0);

export const activity = z.strictObject({
  days: z.array(
    z.strictObject({
      day: z.iso.date(),
      requests: count,
      errors: count,
      refreshes: count,
      bytes: count.meta({ description: "Declared lengths of answers; streams declare none." }),
      duration_ms: count.meta({ description: "Time until answers began, summed." }),
    }),
  ),
});

export const signInBegin = z
  .strictObject({
    service: z.string().max(40).optional(),
    url: z.string().max(2048).optional(),
    storage: storage.optional(),
    label: label.optional(),
    reauthorize: id.optional(),
    client: z
      .strictObject({ id: z.string().min(1).max(500), secret: z.string().max(500).optional() })
      .optional(),
    return_to: z.string().max(500).optional(),
  })
  .refine(({ service, reauthorize }) => (service === undefined) !== (reauthorize === undefined), {
    error: "Give either service or reauthorize.",
    path: ["service"],
  })
  .meta({ id: "SignIn", description: "Either `service` or `reauthorize`." });

export const signInBegun = z.strictObject({
  authorization_url: z.string(),
  state: z.string(),
  expires_at: time,
  authorization_server: z.string(),
  resource_server: z.string(),
});

export const signInAnswer = z
  .strictObject({
    state: z.string().min(1).max(200),
    code: z.string().min(1).max(4096).optional(),
    iss: z.string().max(2048).optional(),
    error: z.string().max(200).optional(),
    error_description: z.string().max(2000).optional(),
    credential: presented.optional(),
  })
  .meta({ id: "SignInAnswer" });
