import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { root } from "../../scripts/lib/files.ts";
import { runStatements } from "../support/node/cloudflare-double/database.ts";

const folder = join(root, "migrations");
const table = "CREATE TABLE a (b)";
const trigger = (begin: string, body: string) =>
  `${table};\nCREATE TRIGGER c AFTER INSERT ON a\n${begin}\n  ${body};\nEND;\nSELECT 1;`;

// A database of a deployment gets its migrations through an endpoint that splits them more simply than SQLite does.
describe("migrations through D1's query endpoint", () => {
  it("all of them are taken, each file at once", async () => {
    const rows = new DatabaseSync(":memory:");
    const files = (await readdir(folder)).filter((name) => name.endsWith(".sql")).toSorted();
    for (const name of files) {
      const sql = await readFile(join(folder, name), "utf8");
      // It was seen to split at what stands in a comment, too (cloudflare/workers-sdk#4713, #4767).
      expect([name, /--.*[;'"`]/.exec(sql)]).toEqual([name, null]);
      runStatements(rows, sql);
    }
    const triggers = rows.prepare("SELECT COUNT(*) AS n FROM sqlite_schema WHERE type = 'trigger'").get();
    expect(triggers?.["n"]).toBeGreaterThan(0);
  });

  it.each([
    ["BEGIN in small letters", trigger("begin", "SELECT 1")],
    ["a CASE without parentheses", trigger("BEGIN", "SELECT CASE WHEN 1 THEN 2 END")],
  ])("%s is refused in a trigger, and nothing of the file stays", (_, sql) => {
    const rows = new DatabaseSync(":memory:");
    expect(() => runStatements(rows, sql)).toThrow("incomplete input: SQLITE_ERROR");
    expect(rows.prepare("SELECT name FROM sqlite_schema").all()).toEqual([]);
  });

  it("a CASE in parentheses is taken", () => {
    const rows = new DatabaseSync(":memory:");
    expect(runStatements(rows, trigger("BEGIN", "SELECT (CASE WHEN 1 THEN 2 END)"))).toHaveLength(3);
  });
});
