import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Miniflare } from "miniflare";
import { unstable_splitSqlQuery } from "wrangler";
import { root } from "./files.ts";

type Database = Awaited<ReturnType<Miniflare["getD1Database"]>>;

/** wrangler's own table, so that `wrangler d1 migrations list --local` and we agree. */
const createTable = `CREATE TABLE IF NOT EXISTS d1_migrations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`;

/** Applies what is missing of `migrations/`, each file in one transaction. */
export async function applyMigrations(database: Database): Promise<void> {
  await database.prepare(createTable).run();
  const { results } = await database.prepare("SELECT name FROM d1_migrations").all<{ name: string }>();
  const applied = new Set(results.map(({ name }) => name));
  const folder = join(root, "migrations");
  const files = (await readdir(folder)).filter((name) => name.endsWith(".sql")).toSorted();
  for (const name of files.filter((file) => !applied.has(file))) {
    const statements = unstable_splitSqlQuery(await readFile(join(folder, name), "utf8"));
    await database.batch([
      ...statements.map((statement) => database.prepare(statement)),
      database.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(name),
    ]);
  }
}
