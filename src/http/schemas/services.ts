import { z } from "zod";

const header = z.strictObject({ name: z.string(), prefix: z.string() });

const keyMode = z.strictObject({
  id: z.string(),
  label: z.string(),
  fields: z.array(
    z.strictObject({
      name: z.string(),
      label: z.string(),
      secret: z.boolean(),
      placeholder: z.string().optional(),
      pattern: z.string().optional(),
      help: z.string().optional(),
    }),
  ),
  header,
  header_choice: z.boolean(),
  create_key_url: z.string().optional(),
  instructions: z.array(z.string()),
});

export const service = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    category: z.string(),
    description: z.string(),
    docs_url: z.string(),
    status: z.enum(["ga", "preview", "gated"]),
    verified: z.strictObject({ on: z.string(), by: z.enum(["docs", "probe", "code"]) }),
    requirements: z.array(z.string()),
    warnings: z.array(z.string()),
    notes: z.array(z.string()),
    available: z.boolean(),
    unavailable_reason: z.string().optional(),
    paused: z.boolean(),
    oauth: z.boolean(),
    oauth_available: z.boolean(),
    oauth_unavailable_reason: z.string().optional(),
    key_available: z.boolean(),
    key_unavailable_reason: z.string().optional(),
    own_client: z
      .strictObject({
        secret: z.enum(["required", "optional"]),
        create_url: z.string().optional(),
        instructions: z.array(z.string()),
        required: z.boolean(),
      })
      .optional(),
    url_required: z.boolean(),
    endpoint: z.strictObject({
      url: z.string().nullable(),
      read_only_url: z.string().optional(),
      parameters: z.array(
        z.strictObject({
          name: z.string(),
          label: z.string(),
          pattern: z.string(),
          help: z.string().optional(),
        }),
      ),
    }),
    key_modes: z.array(keyMode),
    manage_url: z.string().optional(),
  })
  .meta({ id: "Service" });

export const services = z.strictObject({ services: z.array(service) });
