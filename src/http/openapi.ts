import { z } from "zod";
import { version } from "../../package.json";
import { operations, type Operation } from "./operations.ts";
import { problemBody } from "./schemas/fields.ts";

type Json = Readonly<Record<string, unknown>>;

/** Schemas with an id, once for requests and once for answers: defaults make members optional only in the former. */
const components = new Map<string, Json>();

function schemaOf(schema: z.ZodType, io: "input" | "output"): Json {
  const { $schema: _, $defs, ...own } = z.toJSONSchema(schema, { io });
  for (const [id, definition] of Object.entries($defs ?? {})) components.set(id, rewrite({ ...definition }));
  return rewrite(own);
}

function rewrite(value: Json): Json {
  const text = JSON.stringify(value).replaceAll('"#/$defs/', '"#/components/schemas/');
  const parsed: unknown = JSON.parse(text);
  return z.record(z.string(), z.unknown()).parse(parsed);
}

function header(name: string, description: string): Json {
  return { name, in: "header", required: false, description, schema: { type: "string" } };
}

function parametersOf(operation: Operation): readonly Json[] {
  const path = [...operation.path.matchAll(/\{(\w+)\}/g)].map((found) => ({
    name: found[1],
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const query = Object.entries(operation.query?.shape ?? {}).map(([name, field]) => ({
    name,
    in: "query",
    required: false,
    schema: schemaOf(z.instanceof(z.ZodType).parse(field), "input"),
  }));
  return [
    ...path,
    ...query,
    ...(operation.once
      ? [header("Idempotency-Key", "A repeat with the same key within 24 hours creates nothing again.")]
      : []),
    ...(operation.presented
      ? [header("Bindify-Credential", "Lets a user-held grant be revoked at its service at once.")]
      : []),
  ];
}

function describe(operation: Operation): Json {
  const { method, path, tag, summary, access, body, answers } = operation;
  const content = (answer: z.ZodType | string): Json | undefined => {
    if (answer === "") return undefined;
    return typeof answer === "string"
      ? { [answer]: { schema: { type: "string" } } }
      : { "application/json": { schema: schemaOf(answer, "output") } };
  };
  const said = Object.entries(answers).map(([status, answer]) => {
    const shown = content(answer);
    return [status, { description: summary, ...(shown === undefined ? {} : { content: shown }) }];
  });
  const parameters = parametersOf(operation);
  return {
    operationId: `${method}_${path.replace(/[^a-z]+/gi, "_").replace(/^_|_$/g, "")}`,
    tags: [tag],
    summary,
    "x-access": access,
    security: access === "public" ? [] : [{ bearer: [] }],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { "application/json": { schema: schemaOf(body, "input") } },
          },
        }),
    responses: {
      ...Object.fromEntries(said),
      default: {
        description: "A problem document (RFC 9457)",
        content: { "application/problem+json": { schema: schemaOf(problemBody, "output") } },
      },
    },
  };
}

/** The OpenAPI 3.1 document: made of the very schemas that requests are checked with. */
export function openApiDocument(site: { readonly brand: string; readonly publicUrl: string }): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const operation of operations) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: describe(operation) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: `${site.brand} API`,
      version,
      description:
        "Manages connections. Sign-in tokens and API tokens both go into `Authorization: Bearer`. Times are RFC 3339 " +
        "in UTC. Errors are problem documents whose `code` is stable.",
    },
    servers: [{ url: site.publicUrl }],
    paths,
    components: {
      schemas: Object.fromEntries([...components].toSorted(([a], [b]) => a.localeCompare(b))),
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", description: "A sign-in token, or an API token `bnt_…`." },
      },
    },
  };
}
