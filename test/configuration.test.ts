import { describe, expect, it } from "vitest";
import devVarsExample from "../.dev.vars.example?raw";
import { configSchema, secretNames } from "../src/config.ts";
import wranglerExample from "../wrangler.toml.example?raw";
import { readExample } from "./support/examples.ts";
import wranglerTest from "./wrangler.test.toml?raw";

const [, variablesPart = ""] = wranglerExample.split(/^\[vars\]$/m);

const secrets = new Set<string>(secretNames);
const schema = Object.entries(configSchema.shape).map(([name, field]) => ({
  name,
  description: field.meta()?.description ?? "",
  fallback: field.safeParse(undefined).data,
}));
const described = (names: typeof schema) =>
  Object.fromEntries(names.map((one) => [one.name, one.description]));

const bindings = (text: string) => {
  const named = text.matchAll(/^(?:binding|name) = "([A-Z_]+)"$/gm);
  const lines = text.match(/^(?:compatibility_\w+|crons|simple) = .*$/gm) ?? [];
  return [...[...named].map((found) => found[1]).filter((name) => name !== "ASSETS"), ...lines];
};

describe("the example files", () => {
  it("every variable of the schema is described", () => {
    expect(schema.filter((one) => one.description === "")).toEqual([]);
  });

  it("wrangler.toml.example lists exactly the variables that are no secrets, in the schema's words", () => {
    const listed = readExample(variablesPart);
    const wanted = described(schema.filter((one) => !secrets.has(one.name)));
    expect(Object.fromEntries(listed.map((one) => [one.name, one.comment]))).toEqual(wanted);
  });

  it("wrangler.toml.example shows the defaults", () => {
    const listed = new Map(readExample(variablesPart).map((one) => [one.name, one.value]));
    for (const { name, fallback } of schema) {
      if (typeof fallback !== "string" && typeof fallback !== "number") continue;
      expect([name, listed.get(name)]).toEqual([name, `"${fallback}"`]);
    }
  });

  it(".dev.vars.example lists exactly the secrets, in the schema's words and without a value", () => {
    const listed = readExample(devVarsExample);
    expect(Object.fromEntries(listed.map((one) => [one.name, one.comment]))).toEqual(
      described(schema.filter((one) => secrets.has(one.name))),
    );
    expect(listed.filter((one) => one.value !== "")).toEqual([]);
  });
});

describe("the bindings", () => {
  it("the tests' configuration has the bindings, flags and crons of the shipped one", () => {
    expect(bindings(wranglerTest)).toEqual(bindings(wranglerExample));
  });
});
