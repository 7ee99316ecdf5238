import { globSync } from "node:fs";
import { basename, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Problem } from "../lib/command.ts";

export interface Stored {
  /** Name and value of everything that is known of the connection, short enough to read. */
  readonly columns: readonly (readonly [string, string])[];
}

/** Columns that are text to read; all others that hold text are bytes, and shown as such. */
const bytes = new Set(["blob", "lookup", "verifier"]);
const times = /_at$/;

/** Reads the connection's row, and the names of its blobs, from the files of the running instance. */
export async function readStored(folder: string, connectionId: string): Promise<Stored> {
  const row = findRow(folder, connectionId);
  const columns = Object.entries(row)
    .filter(([, value]) => value !== null && value !== 0)
    .map(([name, value]) => [name, shorten(name, value)] as const);
  return { columns: [...columns, ["KV", findKeys(folder, connectionId).join(", ") || "no copy yet"]] };
}

function findRow(folder: string, connectionId: string): Record<string, unknown> {
  for (const file of databases(folder, "d1")) {
    const row = query(file, "SELECT * FROM connections WHERE id = ?", connectionId)[0];
    if (row !== undefined) return row;
  }
  throw new Problem("Not as promised: the connection is not in the database.");
}

function findKeys(folder: string, connectionId: string): readonly string[] {
  const like = `%${connectionId}%`;
  return databases(folder, "kv").flatMap((file) =>
    query(file, "SELECT key FROM _mf_entries WHERE key LIKE ?", like).map((row) => String(row["key"])),
  );
}

function databases(folder: string, kind: string): readonly string[] {
  const found = globSync("**/*.sqlite", { cwd: join(folder, "v3", kind) });
  return found
    .filter((path) => basename(path) !== "metadata.sqlite")
    .map((path) => join(folder, "v3", kind, path));
}

function query(file: string, sql: string, parameter: string): readonly Record<string, unknown>[] {
  const database = new DatabaseSync(file, { readOnly: true, timeout: 2000 });
  try {
    return database.prepare(sql).all(parameter);
  } finally {
    database.close();
  }
}

function shorten(name: string, value: unknown): string {
  if (bytes.has(name) && typeof value === "string") {
    const content = Buffer.from(value, "base64url");
    return `${content.toString("hex", 0, 24)}… (${content.length} bytes${name === "blob" ? ", sealed" : ""})`;
  }
  if (times.test(name) && typeof value === "number") return new Date(value).toISOString();
  return String(value);
}
