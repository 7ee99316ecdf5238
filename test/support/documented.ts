import { z } from "zod";
import { openApiDocument } from "../../src/http/openapi.ts";

const answerSchema = z.looseObject({
  content: z.record(z.string(), z.object({ schema: z.record(z.string(), z.unknown()) })).optional(),
});
const operationSchema = z.looseObject({ responses: z.record(z.string(), answerSchema) });

const document = z
  .object({
    paths: z.record(z.string(), z.record(z.string(), operationSchema)),
    components: z.object({ schemas: z.record(z.string(), z.record(z.string(), z.unknown())) }),
  })
  .parse(
    JSON.parse(JSON.stringify(openApiDocument({ brand: "Bindify", publicUrl: "https://bindify.example" }))),
  );

const schemas = new Map<string, z.ZodType>();

/** A checker of one schema of the document: of the document itself, not of what it was made of. */
function checkerOf(name: string, schema: Record<string, unknown>): z.ZodType {
  const known = schemas.get(name);
  if (known !== undefined) return known;
  const text = JSON.stringify({ ...schema, $defs: document.components.schemas });
  const whole: unknown = JSON.parse(text.replaceAll("#/components/schemas/", "#/$defs/"));
  const made = z.fromJSONSchema(z.record(z.string(), z.unknown()).parse(whole));
  schemas.set(name, made);
  return made;
}

const templates = Object.keys(document.paths).map((path) => ({
  path,
  pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, "[^/]+")}$`),
  fixed: !path.includes("{"),
}));

/** Throws where an answer of the API is not what `/openapi.json` says; addresses that are none of it are left alone. */
export async function checkDocumented(method: string, path: string, answer: Response): Promise<void> {
  const matching = templates.filter(({ pattern }) => pattern.test(path));
  const template = matching.find(({ fixed }) => fixed) ?? matching[0];
  if (template === undefined) return;
  const operation = document.paths[template.path]?.[method.toLowerCase()];
  if (operation === undefined) return;
  const place = `${method} ${template.path} ${answer.status}`;
  const type = (answer.headers.get("content-type") ?? "").split(";", 1)[0] ?? "";
  const described = operation.responses[String(answer.status)] ?? operation.responses["default"];
  const content = described?.content?.[type];
  if (content === undefined) {
    if (type === "" && described?.content === undefined) return;
    throw new Error(`${place}: ${type} is not documented`);
  }
  if (!/^application\/(?:json|\S+\+json)$/.test(type)) return;
  const value: unknown = await answer.clone().json();
  const checked = checkerOf(`${place} ${type}`, content.schema).safeParse(value);
  if (!checked.success) throw new Error(`${place} is not as documented: ${checked.error.message}`);
}
