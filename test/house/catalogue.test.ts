import { readFileSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { catalogueOf, complete } from "../../src/services/catalogue.ts";
import * as registry from "../../src/services/registry.ts";
import type { ServiceInput } from "../../src/services/service.ts";

const source = new URL("../../src/", import.meta.url);
const folder = new URL("services/", source);

/** Everything in the folder that defines no service of the registry. The demo is added by configuration. */
const machinery = new Set([
  "availability.ts",
  "catalogue.ts",
  "demo.ts",
  "endpoint.ts",
  "index.ts",
  "json-path.ts",
  "key-mode.ts",
  "registry.ts",
  "service-oauth.ts",
  "service.ts",
  "text.ts",
]);

const files = readdirSync(folder).filter((name) => name.endsWith(".ts") && !machinery.has(name));
const registryLines = readFileSync(new URL("registry.ts", folder), "utf8")
  .split("\n")
  .filter((text) => text.startsWith("export"));

describe("the catalogue's files", () => {
  it.each(files)("%s defines the service of its name and has one line in the registry", async (file) => {
    const id = file.replace(/\.ts$/, "");
    const module: Record<string, ServiceInput> = await import(new URL(file, folder).href);
    const exported = Object.entries(module);
    expect(exported).toHaveLength(1);
    expect(exported[0]?.[1].id).toBe(id);
    expect(registryLines.filter((text) => text.endsWith(`from "./${file}";`))).toEqual([
      `export { ${exported[0]?.[0]} } from "./${file}";`,
    ]);
  });

  it("are all there is in the registry", () => {
    expect(registryLines).toHaveLength(files.length);
    expect(
      Object.values(registry)
        .map(({ id }) => `${id}.ts`)
        .toSorted(),
    ).toEqual(files.toSorted());
  });

  it("are imported by the registry only, so a service is one file and one line", () => {
    const names = files.map((file) => file.replace(/\.ts$/, "")).join("|");
    const importing = new RegExp(`from "[./a-z]*(?:services/|\\./)(?:${names})\\.ts"`);
    const importers = readdirSync(source, { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts"))
      .filter((path) => importing.test(readFileSync(new URL(path, source), "utf8")));
    expect(importers).toEqual(["services/registry.ts"]);
  });

  it("need no code: a new definition is served as it stands", () => {
    const added: ServiceInput = {
      id: "new-service",
      name: "New",
      category: "Other",
      description: "A service that was added a moment ago.",
      docs_url: "https://new.example/docs",
      status: "ga",
      verified: { on: "2026-11", by: "docs" },
      endpoint: { url: "https://mcp.new.example/mcp" },
      oauth: { clients: ["dcr"] },
    };
    const catalogue = catalogueOf(
      [...Object.values(registry), added].map((definition) => complete(definition)),
      {
        paused: [],
        preRegistered: new Set(),
      },
    );
    const service = catalogue.get("new-service");
    expect(catalogue.list()).toContain(service);
    expect(service && catalogue.publicView(service)).toMatchObject({
      available: true,
      oauth_available: true,
    });
  });
});
