import { globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const folder = new URL("../../migrations/", import.meta.url);
const read = (name: string) => readFileSync(new URL(name, folder), "utf8");
const reference = read("README.md");

/** Tables and their columns as the migrations leave them. */
function schemaOf(sql: string): ReadonlyMap<string, readonly string[]> {
  const tables = new Map<string, string[]>();
  const withoutComments = sql.replace(/--[^\n]*/g, "");
  for (const [, table = "", body = ""] of withoutComments.matchAll(/CREATE TABLE (\w+) \((.*?)\n\)/gs)) {
    const columns = body.split("\n").flatMap((line) => /^\s+([a-z]\w*)\s+[A-Z]/.exec(line)?.[1] ?? []);
    tables.set(table, columns);
  }
  for (const [, table = "", column = ""] of withoutComments.matchAll(/ALTER TABLE (\w+) ADD COLUMN (\w+)/g)) {
    tables.get(table)?.push(column);
  }
  return tables;
}

const schema = schemaOf(globSync("*.sql", { cwd: folder }).toSorted().map(read).join("\n"));

/** The part of the reference about one table: from its heading to the next. */
function sectionOf(table: string): string {
  const start = reference.search(new RegExp(`^#+ .*\`${table}\``, "m"));
  if (start < 0) return "";
  const rest = reference.slice(reference.indexOf("\n", start) + 1);
  const end = rest.search(/^#+ /m);
  return end < 0 ? rest : rest.slice(0, end);
}

describe("migrations/README.md", () => {
  it("the schema is read from the migrations", () => {
    expect([...schema.keys()]).toEqual(expect.arrayContaining(["users", "connections", "log_events"]));
    expect(schema.get("connections")?.length).toBeGreaterThan(20);
  });

  it.each([...schema.keys()])("describes every column of %s, in its own section", (table) => {
    const section = sectionOf(table);
    expect(section, `no section for ${table}`).not.toBe("");
    expect(schema.get(table)?.filter((column) => !section.includes(`\`${column}\``))).toEqual([]);
  });

  it("describes every key family of KV", () => {
    const blobs = ["blobs", "block-list"]
      .map((name) => readFileSync(new URL(`../../src/store/${name}.ts`, import.meta.url), "utf8"))
      .join("\n");
    for (const [, prefix = ""] of blobs.matchAll(/`([a-z]\/)\$\{/g))
      expect(reference).toContain(`\`${prefix}`);
  });
});
