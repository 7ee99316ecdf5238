import { describe, expect, it } from "vitest";
import { catalogueOf, complete } from "../../src/services/catalogue.ts";
import { createCatalogue, type Catalogue, type PublicService } from "../../src/services/index.ts";
import type { ServiceInput } from "../../src/services/service.ts";
import { definitions, service as definition } from "./support.ts";

const plain = createCatalogue({ paused: [], preRegistered: new Set() });

function view(catalogue: Catalogue, id: string): PublicService {
  const service = catalogue.get(id);
  if (service === undefined) throw new Error(`no service ${id}`);
  return catalogue.publicView(service);
}

describe("createCatalogue", () => {
  it("lists every registered service once, custom last", () => {
    const ids = plain.list().map(({ id }) => id);
    expect(ids.toSorted()).toEqual(definitions.map(({ id }) => id).toSorted());
    expect(ids.at(-1)).toBe("custom");
  });

  it("knows the demo only where one runs, and lists it first", () => {
    expect(plain.get("demo")).toBeUndefined();
    const local = createCatalogue({
      demoOrigin: "http://127.0.0.1:8788",
      paused: [],
      preRegistered: new Set(),
    });
    expect(local.list()[0]?.id).toBe("demo");
    expect(view(local, "demo")).toMatchObject({ name: "Demo notes", available: true, url_required: false });
  });

  it.each([["nothing"], ["constructor"], ["__proto__"], ["Linear"], [""]])("does not know %j", (id) => {
    expect(plain.get(id)).toBeUndefined();
  });

  it("answers the same definition each time, and nobody can change it for others", () => {
    const linear = plain.get("linear");
    expect(plain.get("linear")).toBe(linear);
    expect(() => Object.assign(linear?.endpoint ?? {}, { url: "https://evil.example/" })).toThrow(TypeError);
    expect(() => linear?.oauth?.scopes.push("admin")).toThrow(TypeError);
  });

  it("refuses two definitions with one id", () => {
    const twice = [definition("linear"), definition("linear")];
    expect(() => catalogueOf(twice, { paused: [], preRegistered: new Set() })).toThrow("same id");
  });
});

describe("availability", () => {
  it("of a service that registers clients by itself is given", () => {
    expect(view(plain, "linear")).toMatchObject({
      available: true,
      oauth_available: true,
      key_available: true,
    });
    expect(view(plain, "notion")).toMatchObject({
      available: true,
      oauth_available: true,
      key_available: false,
    });
  });

  it("of a gated service says who must do what, until the operator has done it", () => {
    expect(view(plain, "figma")).toMatchObject({
      available: false,
      oauth: true,
      oauth_available: false,
      unavailable_reason: expect.stringContaining("FIGMA_CLIENT_ID"),
    });
    const prepared = createCatalogue({ paused: [], preRegistered: new Set(["figma"]) });
    expect(view(prepared, "figma")).toMatchObject({ available: true, oauth_available: true });
    expect(view(prepared, "figma")).not.toHaveProperty("unavailable_reason");
  });

  it("of a service that allow-lists redirect addresses is not promised by registration alone", () => {
    expect(view(plain, "square")).toMatchObject({ available: false, status: "gated" });
    expect(view(plain, "square").unavailable_reason).toContain("redirect");
    expect(view(plain, "intercom")).toMatchObject({ own_client: { required: true }, key_available: true });
  });

  it("of a service without registration is given through an app of one's own", () => {
    expect(view(plain, "slack")).toMatchObject({ oauth_available: true, own_client: { required: true } });
    const prepared = createCatalogue({ paused: [], preRegistered: new Set(["slack"]) });
    expect(view(prepared, "slack")).toMatchObject({ oauth_available: true, own_client: { required: false } });
  });

  it("keeps the key where the sign-in needs an operator's client", () => {
    const github: ServiceInput = {
      ...definition("github"),
      oauth: { ...definition("github").oauth, clients: ["pre_registered"], own_client: undefined },
    };
    const catalogue = catalogueOf([complete(github)], { paused: [], preRegistered: new Set() });
    expect(view(catalogue, "github")).toMatchObject({
      available: true,
      key_available: true,
      oauth_available: false,
      oauth_unavailable_reason: expect.stringContaining("GITHUB_CLIENT_ID"),
    });
  });

  it("of a paused service is refused in every way", () => {
    const catalogue = createCatalogue({ paused: ["linear"], preRegistered: new Set() });
    expect(view(catalogue, "linear")).toMatchObject({
      available: false,
      paused: true,
      oauth_available: false,
      key_available: false,
      unavailable_reason: expect.stringContaining("paused"),
    });
    expect(view(catalogue, "todoist")).toMatchObject({ available: true, paused: false });
  });

  it("of an open service points to its address", () => {
    expect(view(plain, "microsoft-learn")).toMatchObject({
      available: false,
      oauth: false,
      unavailable_reason: expect.stringContaining("needs no sign-in"),
    });
  });
});

describe("publicView", () => {
  it("shows what a person needs to connect", () => {
    expect(view(plain, "github")).toMatchObject({
      id: "github",
      name: "GitHub",
      category: "Development",
      status: "ga",
      verified: { on: "2026-11", by: "docs" },
      oauth: true,
      endpoint: { url: "https://api.githubcopilot.com/mcp/" },
      key_modes: [
        {
          id: "pat",
          fields: [{ name: "api_key", secret: true }],
          header: { name: "Authorization", prefix: "Bearer" },
          create_key_url: "https://github.com/settings/personal-access-tokens/new",
        },
      ],
      manage_url: "https://github.com/settings/applications",
    });
    expect(view(plain, "github").key_modes[0]?.instructions).not.toHaveLength(0);
  });

  it("asks for the address of any other MCP server and lets its header be chosen", () => {
    expect(view(plain, "custom")).toMatchObject({
      available: true,
      url_required: true,
      endpoint: { url: null },
      key_modes: [{ fields: [{ name: "api_key" }], header_choice: true }],
    });
  });

  it("keeps how keys are tried and how tokens are refreshed to itself", () => {
    for (const service of plain.list()) {
      const text = JSON.stringify(plain.publicView(service));
      expect(text).not.toMatch(/"(validation|assemble|refresh|permanent_errors|clients)"/);
      expect(JSON.parse(text)).toEqual(plain.publicView(service));
    }
  });

  it("gives a reason exactly where something is unavailable", () => {
    for (const shown of plain.list().map((service) => plain.publicView(service))) {
      expect(shown.unavailable_reason === undefined).toBe(shown.available);
      expect(shown.oauth_unavailable_reason === undefined).toBe(shown.oauth_available);
      expect(shown.key_unavailable_reason === undefined).toBe(shown.key_available);
    }
  });
});
