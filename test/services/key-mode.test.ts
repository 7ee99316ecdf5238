import { describe, expect, it } from "vitest";
import { assembleSecret, chooseHeader, chooseKeyMode, formatHeader } from "../../src/services/key-mode.ts";
import { keyMode, service } from "./support.ts";

describe("assembleSecret", () => {
  it("takes GitHub's token as it is, without the space that came with copying", () => {
    const mode = keyMode("github");
    const result = assembleSecret(mode, { api_key: " github_pat_abc\n" });
    expect(result).toEqual({ kind: "secret", secret: "github_pat_abc" });
    expect(formatHeader(mode.header, "github_pat_abc")).toBe("Bearer github_pat_abc");
  });

  it("sends Linear's key as a bearer token to the MCP server and bare to the API", () => {
    const mode = keyMode("linear");
    expect(formatHeader(mode.header, "lin_api_x")).toBe("Bearer lin_api_x");
    expect(mode.validation.kind === "request" && formatHeader(mode.validation.header, "lin_api_x")).toBe(
      "lin_api_x",
    );
  });

  it("joins Atlassian's email and token into Basic credentials (RFC 7617)", () => {
    const mode = keyMode("atlassian");
    const result = assembleSecret(mode, { email: "ada@example.com", api_token: "ATATT3x=A1" });
    expect(result).toEqual({ kind: "secret", secret: "YWRhQGV4YW1wbGUuY29tOkFUQVRUM3g9QTE=" });
    expect(formatHeader(mode.header, "YQ==")).toBe("Basic YQ==");
  });

  it("takes the key of an Atlassian service account as a bearer token", () => {
    const mode = keyMode("atlassian", "service-account");
    expect(assembleSecret(mode, { api_key: "sa-1" })).toEqual({ kind: "secret", secret: "sa-1" });
    expect(formatHeader(mode.header, "sa-1")).toBe("Bearer sa-1");
  });

  it("fills places in one pass: a value that looks like a place stays itself", () => {
    const result = assembleSecret(keyMode("atlassian"), { email: "a@b.c", api_token: "{email}$&" });
    expect(result).toEqual({ kind: "secret", secret: btoa("a@b.c:{email}$&") });
  });

  it.each([[{}], [{ api_key: "" }], [{ api_key: "  " }]])("names a missing field: %j", (fields) => {
    expect(assembleSecret(keyMode("linear"), fields)).toEqual({
      kind: "errors",
      errors: [{ path: "fields.api_key", message: "Personal API key is needed." }],
    });
  });

  it("names an unknown field and the known ones", () => {
    expect(assembleSecret(keyMode("linear"), { api_key: "k", token: "secret-value" })).toEqual({
      kind: "errors",
      errors: [{ path: "fields.token", message: "There is no such field. This key has: api_key." }],
    });
  });

  it("T90 does not repeat a name that may be a key", () => {
    const result = assembleSecret(keyMode("linear"), { api_key: "k", lin_api_0123abCD: "x" });
    expect(JSON.stringify(result)).toContain('"fields.?"');
    expect(JSON.stringify(result)).not.toContain("lin_api_0");
  });

  it("does not take a field from the object's prototype", () => {
    const fields: Record<string, string> = Object.create({ api_key: "inherited" });
    expect(assembleSecret(keyMode("linear"), fields).kind).toBe("errors");
  });

  it.each([
    ["two words"],
    ["line\r\nX-Injected: 1"],
    ["nul\0"],
    ["schlüssel"],
    ["tab\there"],
    ["k".repeat(4097)],
  ])("refuses a value that is no header text, without repeating it: %j", (value) => {
    const result = assembleSecret(keyMode("linear"), { api_key: value });
    expect(result).toMatchObject({ kind: "errors", errors: [{ path: "fields.api_key" }] });
    expect(JSON.stringify(result)).not.toContain(value);
  });

  it.each([["not-an-address"], ["ada:x@example.com"], ["ada@example.com:"]])(
    "refuses the email %j",
    (email) => {
      expect(assembleSecret(keyMode("atlassian"), { email, api_token: "t" })).toEqual({
        kind: "errors",
        errors: [{ path: "fields.email", message: "The email address of your Atlassian account." }],
      });
    },
  );

  it("lists every fault at once", () => {
    const result = assembleSecret(keyMode("atlassian"), { email: "x", other: "y" });
    expect(result.kind === "errors" && result.errors.map(({ path }) => path)).toEqual([
      "fields.email",
      "fields.api_token",
      "fields.other",
    ]);
  });
});

describe("chooseKeyMode", () => {
  it("is the first without a wish, the wished one, or none", () => {
    expect(chooseKeyMode(service("atlassian"), undefined)?.id).toBe("api-token");
    expect(chooseKeyMode(service("atlassian"), "service-account")?.id).toBe("service-account");
    expect(chooseKeyMode(service("atlassian"), "other")).toBeUndefined();
    expect(chooseKeyMode(service("notion"), undefined)).toBeUndefined();
  });
});

describe("chooseHeader", () => {
  const mode = keyMode("custom");

  it("is Authorization: Bearer by default", () => {
    expect(chooseHeader(mode, undefined)).toEqual({
      kind: "header",
      header: { name: "Authorization", prefix: "Bearer" },
    });
  });

  it("may be another one for any MCP server, with or without a prefix", () => {
    expect(chooseHeader(mode, { name: "X-Api-Key" })).toEqual({
      kind: "header",
      header: { name: "X-Api-Key", prefix: "" },
    });
    expect(chooseHeader(mode, { name: "Authorization", prefix: "Token " })).toEqual({
      kind: "header",
      header: { name: "Authorization", prefix: "Token" },
    });
  });

  it("T5 is fixed for a service of the catalogue", () => {
    expect(chooseHeader(keyMode("linear"), { name: "X-Api-Key" })).toMatchObject({ kind: "errors" });
  });

  it.each([
    ["Host"],
    ["cookie"],
    ["Content-Length"],
    ["Transfer-Encoding"],
    ["Mcp-Session-Id"],
    ["CF-Connecting-IP"],
  ])("T60 is not %s, which means something else", (name) => {
    expect(chooseHeader(mode, { name })).toMatchObject({ kind: "errors", errors: [{ path: "header.name" }] });
  });

  it.each([["X Key"], ["X-Key:"], [""], ["X-Key\r\nA"], ["ключ"]])("is not %j", (name) => {
    expect(chooseHeader(mode, { name })).toMatchObject({ kind: "errors", errors: [{ path: "header.name" }] });
  });

  it("has a prefix of visible ASCII only", () => {
    expect(chooseHeader(mode, { name: "X-Key", prefix: "a\nb" })).toMatchObject({
      kind: "errors",
      errors: [{ path: "header.prefix" }],
    });
  });
});
