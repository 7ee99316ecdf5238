import { z } from "zod";
import { oauthSchema } from "./service-oauth.ts";
import { endpointUrl, fieldName, headerName, headerValue, line, origin, pageUrl, slug } from "./text.ts";

/** The service that stands for any MCP server by its address. */
export const customId = "custom";

const categories = [
  "Project management",
  "Documents and files",
  "Mail and calendar",
  "Communication",
  "Customers and marketing",
  "Design",
  "Development",
  "Cloud and data",
  "Websites",
  "Payments",
  "Automation",
  "AI",
  "Examples",
  "Other",
] as const;

/** How a secret stands in a header: `name: prefix secret`, or `name: secret` where the prefix is empty. */
const headerForm = z.strictObject({
  name: headerName,
  prefix: headerValue.or(z.literal("")),
});

const field = z.strictObject({
  name: fieldName,
  label: line,
  secret: z.boolean(),
  placeholder: line.optional(),
  /** Regular expression that the whole value must match. Only where the service documents a shape. */
  pattern: z.string().optional(),
  help: line.optional(),
});

const validation = z.discriminatedUnion("kind", [
  /** An MCP handshake at the endpoint itself, with the key in the mode's header. */
  z.strictObject({ kind: z.literal("mcp_initialize") }),
  /** A harmless request to the service's API. */
  z.strictObject({
    kind: z.literal("request"),
    method: z.enum(["GET", "POST"]),
    url: endpointUrl,
    /** May differ from the mode's header. */
    header: headerForm,
    headers: z.record(headerName, headerValue).default({}),
    body: z.string().optional(),
    /** `json_path`: dotted; the value there must exist and not be null. */
    expect: z.strictObject({ status: z.int(), json_path: z.string().optional() }),
  }),
]);

const keyMode = z
  .strictObject({
    id: slug,
    label: line,
    fields: z.array(field).min(1),
    header: headerForm.default({ name: "Authorization", prefix: "Bearer" }),
    /** The person may name another header. */
    header_choice: z.boolean().default(false),
    /** How the fields become one secret: `{field}` places, then the encoding. */
    assemble: z
      .strictObject({ template: z.string(), encoding: z.enum(["none", "base64"]).default("none") })
      .prefault({ template: "{api_key}" }),
    validation,
    create_key_url: pageUrl.optional(),
    instructions: z.array(line).default([]),
  })
  .refine(
    ({ fields, assemble }) => {
      const used = [...assemble.template.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      return used.length === fields.length && fields.every(({ name }) => used.includes(name));
    },
    { error: "the template must use every field exactly once", path: ["assemble", "template"] },
  );

const endpoint = z.strictObject({
  /** `null`: the person gives the address. */
  url: endpointUrl.nullable(),
  transport: z.enum(["http", "sse"]).default("http"),
  read_only_url: endpointUrl.optional(),
  extra_headers: z.record(headerName, headerValue).default({}),
  /** Query parameters that the person may add to the address. */
  parameters: z
    .array(
      z.strictObject({
        name: z.string().regex(/^\w+$/),
        label: line,
        /** Regular expression that the whole value must match. */
        pattern: z.string(),
        help: line.optional(),
      }),
    )
    .default([]),
});

/**
 * A service of the catalogue: pure data, so that the API can serve it and the page can render it.
 * What is not known is left out or says `unknown`, and the engine falls back to discovery.
 */
export const serviceSchema = z
  .strictObject({
    id: slug,
    name: line,
    category: z.enum(categories),
    description: line,
    docs_url: pageUrl,
    /** `gated`: the service admits only clients that it has approved. */
    status: z.enum(["ga", "preview", "gated"]),
    /** When and from what the facts here were gathered. `docs`: nobody here reached the service. */
    verified: z.strictObject({
      on: z.string().regex(/^\d{4}-\d{2}(-\d{2})?$/),
      by: z.enum(["docs", "probe", "code"]),
    }),
    /** What must be true before connecting can work. */
    requirements: z.array(line).default([]),
    warnings: z.array(line).default([]),
    notes: z.array(line).default([]),
    endpoint,
    /** Origins that the service used to have: a stored destination there follows the move. */
    moved_from: z.array(origin).default([]),
    /** Answers without any credential, so an accepted handshake proves no key. */
    anonymous: z.boolean().default(false),
    oauth: oauthSchema.optional(),
    key_modes: z.array(keyMode).default([]),
  })
  .refine(({ oauth, key_modes, anonymous }) => oauth !== undefined || key_modes.length > 0 || anonymous, {
    error: "needs oauth, a key mode, or to be anonymous",
  })
  .refine(({ key_modes }) => new Set(key_modes.map(({ id }) => id)).size === key_modes.length, {
    error: "key modes need different ids",
    path: ["key_modes"],
  });

export type Service = z.output<typeof serviceSchema>;
export type ServiceInput = z.input<typeof serviceSchema>;
export type KeyMode = Service["key_modes"][number];
export type HeaderForm = z.output<typeof headerForm>;
