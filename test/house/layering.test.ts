import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { violationsOf } from "./layers.ts";

const src = fileURLToPath(new URL("../../src", import.meta.url));
const files = globSync("**/*.{ts,tsx}", { cwd: src }).map((path) => path.replaceAll("\\", "/"));

describe("the layers of src", () => {
  it("finds the sources", () => {
    expect(files).toContain("lib/outbound.ts");
    expect(files.length).toBeGreaterThan(40);
  });

  it("imports point downward, and each part of the platform has one place", () => {
    expect(files.flatMap((path) => violationsOf(path, readFileSync(join(src, path), "utf8")))).toEqual([]);
  });
});

const planted: readonly (readonly [string, string, string])[] = [
  ["upward", "vault/a.ts", 'import { b } from "../grants/b.ts";'],
  ["upward, from a deeper folder", "services/shared/a.ts", 'import { b } from "../../http/b.ts";'],
  ["upward, a type", "lib/a.ts", 'import type { B } from "../vault/b.ts";'],
  ["upward, several lines", "lib/a.ts", 'import {\n  b,\n  c,\n} from "../vault/b.ts";'],
  ["upward, a re-export", "store/a.ts", 'export * from "../connect/b.ts";'],
  ["upward, a re-exported name", "store/a.ts", 'export { b } from "../connect/b.ts";'],
  ["upward, for its effects", "store/a.ts", 'import "../connect/b.ts";'],
  ["upward, dynamic", "store/a.ts", 'const b = await import("../connect/b.ts");'],
  ["upward, dynamic in a template", "store/a.ts", "const b = `${await import(`../connect/b.ts`)}`;"],
  ["upward, the type of an import", "store/a.ts", 'type B = import("../connect/b.ts").B;'],
  ["computed", "http/a.ts", "const b = await import(name);"],
  ["a sibling", "vault/a.ts", 'import { b } from "../store/b.ts";'],
  ["another sibling", "proxy/a.ts", 'import { b } from "../billing/checkout.ts";'],
  ["the top from below", "http/a.ts", 'import { b } from "../config.ts";'],
  ["outside of src", "lib/a.ts", 'import { b } from "../../scripts/b.ts";'],
  ["an unknown folder", "utils/a.ts", 'import { b } from "../lib/b.ts";'],
  ["the page from the worker", "http/a.ts", 'import { b } from "../dashboard/b.ts";'],
  ["the worker from the page", "dashboard/a.tsx", 'import { b } from "../services/b.ts";'],
  ["hono below", "proxy/a.ts", 'import type { Context } from "hono";'],
  ["hono's parts below", "proxy/a.ts", 'import { b } from "hono/proxy";'],
  ["hono in the page", "dashboard/a.tsx", 'import { Hono } from "hono";'],
  ["ambient bindings", "http/a.ts", 'import { env } from "cloudflare:workers";'],
  ["the database", "http/a.ts", "export const a = (db: D1Database) => db;"],
  ["the blobs", "grants/a.ts", "export const a = (kv: KVNamespace) => kv;"],
  ["fetch", "oauth/a.ts", "const a = await fetch(url);"],
  ["fetch under another name", "oauth/a.ts", "const request = fetch;"],
  ["fetch of the global object", "oauth/a.ts", "const a = globalThis.fetch;"],
  ["the console", "http/a.ts", 'console.log("a");'],
  ["the console behind a string", "http/a.ts", "const a = \"/*\"; console.log(a, '*/');"],
  ["SQL", "http/a.ts", 'const a = "SELECT id FROM users";'],
  ["SQL in a template", "jobs/a.ts", "const a = `DELETE FROM ${table}`;"],
  ["a statement", "jobs/a.ts", "db.prepare(text);"],
];

const innocent: readonly (readonly [string, string, string])[] = [
  ["downward", "http/a.ts", 'import { b } from "../vault/b.ts";'],
  ["within a folder", "vault/a.ts", 'import { b } from "./b.ts";'],
  ["the pure rule of billing", "proxy/a.ts", 'import { b } from "../billing/entitlement.ts";'],
  ["a comment", "lib/a.ts", '// import { b } from "../http/b.ts";\n/* console.log(fetch) */'],
  ["words in a string", "lib/a.ts", 'const a = "console fetch D1Database import";'],
  ["a regular expression", "lib/a.ts", 'const a = /["`]fetch/.test(b);'],
  ["a method of its own name", "lib/a.ts", "const a = await binding.fetch(request);"],
  ["a property of that name", "lib/a.ts", "interface A { readonly fetch?: B; readonly fetch: C }"],
  ["the page's own elements", "dashboard/a.tsx", 'import { render } from "hono/jsx/dom";'],
];

describe("the check itself", () => {
  it.each(planted)("finds %s", (_, path, text) => {
    expect(violationsOf(path, text)).not.toEqual([]);
  });

  it.each(innocent)("does not mind %s", (_, path, text) => {
    expect(violationsOf(path, text)).toEqual([]);
  });
});
