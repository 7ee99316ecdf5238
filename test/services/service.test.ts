import { describe, expect, it } from "vitest";
import { demoService } from "../../src/services/demo.ts";
import { serviceSchema, type Service } from "../../src/services/service.ts";
import { definitions, service, services } from "./support.ts";

/** Every address in a definition, wherever it stands. */
function urlsIn(value: unknown): string[] {
  if (typeof value === "string") return /^https?:/i.test(value) ? [value] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(urlsIn);
}

const site = (url: string): string => new URL(url).hostname.split(".").slice(-2).join(".");

/** Where a key of this service may go: sites of its MCP server and of its own authorization server. */
function sitesOf({ endpoint, oauth }: Service): string[] {
  return [endpoint.url, oauth?.server.issuer, oauth?.server.token]
    .filter((url) => typeof url === "string")
    .map(site);
}

describe.each(definitions)("$id", (definition) => {
  it("is a valid definition", () => {
    expect(serviceSchema.safeParse(definition).error).toBeUndefined();
  });

  it("is data: JSON carries all of it", () => {
    expect(JSON.parse(JSON.stringify(definition))).toEqual(definition);
    const parsed = serviceSchema.parse(definition);
    expect(JSON.parse(JSON.stringify(parsed))).toEqual(parsed);
  });

  it("names https addresses only", () => {
    const urls = urlsIn(definition);
    expect(urls).not.toHaveLength(0);
    for (const url of urls) expect(url).toMatch(/^https:\/\//);
  });

  it("tries a key only at the service's own site", () => {
    const parsed = serviceSchema.parse(definition);
    for (const { validation } of parsed.key_modes) {
      if (validation.kind === "request") expect(sitesOf(parsed)).toContain(site(validation.url));
    }
  });

  it("calls the field of a single-field key api_key", () => {
    for (const { fields } of definition.key_modes ?? []) {
      if (fields.length === 1) expect(fields[0]?.name).toBe("api_key");
    }
  });

  it("hides a field that is secret and only uses patterns that compile", () => {
    for (const { fields } of definition.key_modes ?? []) {
      expect(fields.some(({ secret }) => secret)).toBe(true);
      for (const { pattern = "" } of fields) expect(() => new RegExp(pattern, "u")).not.toThrow();
    }
  });

  it("claims no more than reading: nobody here reached a service", () => {
    expect(definition.verified.by).toBe(definition.id === "custom" ? "code" : "docs");
  });
});

describe("the catalogue's definitions", () => {
  it("have different ids and names", () => {
    expect(new Set(services.map(({ id }) => id)).size).toBe(services.length);
    expect(new Set(services.map(({ name }) => name)).size).toBe(services.length);
  });

  it("are the seven complete ones, custom, and at least 25 more", () => {
    const ids = services.map(({ id }) => id);
    const seven = ["linear", "todoist", "github", "atlassian", "notion", "figma", "ticktick"];
    expect(ids).toEqual(expect.arrayContaining([...seven, "custom"]));
    expect(ids.length - seven.length - 1).toBeGreaterThanOrEqual(25);
  });

  it("say a quirk as data", () => {
    expect(service("todoist").oauth?.refresh).toMatchObject({
      reuse: "revokes_app",
      grace_s: 60,
      grace_without_refresh_token: true,
    });
    expect(service("atlassian").oauth).toMatchObject({
      permanent_errors: ["unauthorized_client"],
      origin_fallback: false,
    });
    expect(service("github").oauth).toMatchObject({ discovery: "pinned", pkce: "supported" });
    expect(service("slack").oauth?.token_response_path).toBe("authed_user");
    expect(service("ticktick").oauth?.issuer_aliases).toEqual([
      { advertised: "https://ticktick.com/", issuer: "https://ticktick.com" },
    ]);
    expect(service("notion").key_modes).toEqual([]);
    expect(service("figma").key_modes).toEqual([]);
  });
});

describe("serviceSchema", () => {
  const base = JSON.stringify(service("linear"));
  const changed = (change: (draft: Record<string, unknown>) => void): boolean => {
    const draft: Record<string, unknown> = JSON.parse(base);
    change(draft);
    return serviceSchema.safeParse(draft).success;
  };

  it.each([
    ["http://mcp.linear.app/mcp"],
    ["https://user@mcp.linear.app/mcp"],
    ["https://mcp.linear.app/mcp#top"],
    ["https://mcp.linear.app/a/../mcp"],
    ["https://MCP.linear.app/mcp"],
    ["ftp://mcp.linear.app/mcp"],
    ["mcp.linear.app"],
    ["http://10.0.0.1/mcp"],
  ])("T37 T24 refuses the endpoint %s", (url) => {
    expect(changed((draft) => (draft["endpoint"] = { url }))).toBe(false);
  });

  it.each([["Linear"], ["-linear"], ["li/near"], [""]])("refuses the id %j", (id) => {
    expect(changed((draft) => (draft["id"] = id))).toBe(false);
  });

  it("refuses unknown members, so that a misspelt one is noticed", () => {
    expect(changed((draft) => (draft["doc_url"] = "https://linear.app"))).toBe(false);
  });

  it("refuses pinned discovery without the endpoints", () => {
    expect(changed((draft) => (draft["oauth"] = { discovery: "pinned", clients: ["dcr"] }))).toBe(false);
  });

  it("refuses a service that nothing connects", () => {
    expect(changed((draft) => Object.assign(draft, { oauth: undefined, key_modes: [] }))).toBe(false);
  });

  it.each([["{other}"], ["constant"], ["{api_key}{api_key}"]])("refuses the template %j", (template) => {
    const [mode] = service("linear").key_modes;
    expect(changed((draft) => (draft["key_modes"] = [{ ...mode, assemble: { template } }]))).toBe(false);
  });
});

describe("demoService", () => {
  it.each([["http://127.0.0.1:8788"], ["http://localhost:8788"], ["http://[::1]:8788"]])(
    "may be at %s",
    (origin) => {
      const demo = serviceSchema.parse(demoService(origin));
      expect(demo.endpoint.url).toBe(`${origin}/mcp`);
      expect(demo.key_modes[0]?.header).toEqual({ name: "Authorization", prefix: "Bearer" });
      expect(demo.oauth?.discovery).toBe("auto");
    },
  );

  it.each([["https://demo.example.com"], ["http://10.0.0.1:8788"], ["http://127.0.0.1.example.com"]])(
    "may not be at %s: its key is public",
    (origin) => {
      expect(() => demoService(origin)).toThrow("loopback");
    },
  );
});
