import { describe, expect, it } from "vitest";
import { chooseEndpoint, hasMoved, serviceOrigins } from "../../src/services/endpoint.ts";
import { readPath } from "../../src/services/json-path.ts";
import { service } from "./support.ts";

describe("chooseEndpoint", () => {
  it("T24 is the definition's text, byte for byte", () => {
    expect(chooseEndpoint(service("github"), undefined)).toEqual({
      kind: "url",
      url: "https://api.githubcopilot.com/mcp/",
    });
  });

  it("may be the read-only address", () => {
    const url = "https://mcp.linear.app/mcp/readonly";
    expect(chooseEndpoint(service("linear"), url)).toEqual({ kind: "url", url });
  });

  it("may carry the query parameters that the definition lists", () => {
    const url = "https://mcp.supabase.com/mcp?read_only=true&project_ref=abc123";
    expect(chooseEndpoint(service("supabase"), url)).toEqual({ kind: "url", url });
    expect(chooseEndpoint(service("atlassian"), "https://mcp.atlassian.com/v2/mcp?tools=all").kind).toBe(
      "url",
    );
  });

  it.each([
    ["https://evil.example/mcp"],
    ["https://mcp.supabase.com/mcp/"],
    ["https://mcp.supabase.com/mcp/../x"],
    ["https://mcp.supabase.com/mcp?other=1"],
    ["https://mcp.supabase.com/mcp?read_only=false"],
    ["https://mcp.supabase.com/mcp?read_only=true&read_only=true"],
    ["https://mcp.supabase.com/mcp?project_ref=a%26b"],
    ["https://mcp.supabase.com/mcp#x"],
    ["https://mcp.supabase.com.evil.example/mcp"],
    [""],
  ])("T5 T24 is not %s: a known service's key goes nowhere else", (url) => {
    expect(chooseEndpoint(service("supabase"), url)).toMatchObject({
      kind: "errors",
      errors: [{ path: "url" }],
    });
  });

  it("is the person's for any MCP server, and needed", () => {
    expect(chooseEndpoint(service("custom"), " https://mcp.example.com/mcp ")).toEqual({
      kind: "url",
      url: "https://mcp.example.com/mcp",
    });
    expect(chooseEndpoint(service("custom"), undefined)).toMatchObject({ kind: "errors" });
    expect(chooseEndpoint(service("custom"), " ")).toMatchObject({ kind: "errors" });
  });
});

describe("serviceOrigins and hasMoved", () => {
  it("know where a service is and was", () => {
    expect(serviceOrigins(service("linear"))).toEqual(["https://mcp.linear.app"]);
    expect(serviceOrigins(service("custom"))).toEqual([]);
    const moved = { ...service("linear"), moved_from: ["https://old.linear.app"] };
    expect(hasMoved(moved, "https://old.linear.app/sse")).toBe(true);
    expect(hasMoved(moved, "https://mcp.linear.app/mcp")).toBe(false);
    expect(hasMoved(moved, "not a url")).toBe(false);
  });
});

describe("readPath", () => {
  it("follows own members only", () => {
    const answer = { data: { viewer: { id: "u1" }, list: ["a"] } };
    expect(readPath(answer, "data.viewer.id")).toBe("u1");
    expect(readPath(answer, "data.list.0")).toBe("a");
    expect(readPath(answer, "data.viewer.constructor")).toBeUndefined();
    expect(readPath(answer, "data.nobody.id")).toBeUndefined();
    expect(readPath(null, "data")).toBeUndefined();
    expect(readPath("text", "length")).toBeUndefined();
  });
});
