import type { DatabaseSync } from "node:sqlite";
import { Refused } from "./account.ts";

/** Bytes of one statement. */
const longest = 100_000;

/** Runs statements as D1's query endpoint does: all in one transaction, the rows of each. @throws Refused */
export function runStatements(rows: DatabaseSync, sql: string): readonly object[] {
  rows.exec("BEGIN");
  try {
    const answers = splitStatements(sql).map((statement) => {
      if (Buffer.byteLength(statement) > longest) throw new Error("statement too long");
      return { results: rows.prepare(statement).all(), success: true, meta: { duration: 0.1 } };
    });
    rows.exec("COMMIT");
    return answers;
  } catch (error) {
    rows.exec("ROLLBACK");
    throw new Refused(400, 7500, `${error instanceof Error ? error.message : String(error)}: SQLITE_ERROR`);
  }
}

/** Comments, quoted texts, words, and every other character by itself. */
const tokens = /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"(?:[^"]|"")*"|\w+|\W/g;

/**
 * Splits where the endpoint is known to split: at every semicolon outside of a trigger's body. It knows a body by its
 * BEGIN in capitals alone, and takes the first END before a blank or a semicolon for the body's, a CASE's as well. So
 * a trigger that SQLite takes may be refused there as "incomplete input".
 */
function splitStatements(sql: string): readonly string[] {
  const statements: string[] = [];
  let statement = "";
  let isBody = false;
  for (const { 0: token, index } of sql.matchAll(tokens)) {
    if (token === "BEGIN") isBody = true;
    if (token === "END" && /^(?:[;\s]|$)/.test(sql.slice(index + 3, index + 4))) isBody = false;
    if (token === ";" && !isBody) {
      statements.push(statement);
      statement = "";
    } else if (!/^(?:--|\/\*)/.test(token)) statement += token;
  }
  return [...statements, statement].map((one) => one.trim()).filter((one) => one !== "");
}
