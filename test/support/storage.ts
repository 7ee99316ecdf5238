import type { TestEnv } from "./instance.ts";

type Row = Readonly<Record<string, unknown>>;

export interface Dump {
  /** Every row of every table. */
  readonly tables: Readonly<Record<string, readonly Row[]>>;
  /** Every value of KV by its key. */
  readonly kv: Readonly<Record<string, string>>;
}

/** All that is at rest: what somebody with a copy of D1 and KV holds. */
export async function dump({ DB, BLOBS }: TestEnv): Promise<Dump> {
  const { results } = await DB.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf_*' AND name NOT GLOB 'sqlite_*'",
  ).all<{ name: string }>();
  const tables: Record<string, readonly Row[]> = {};
  for (const { name } of results) {
    tables[name] = (await DB.prepare(`SELECT * FROM "${name}"`).all<Row>()).results;
  }
  const kv: Record<string, string> = {};
  const { keys } = await BLOBS.list();
  for (const { name } of keys) kv[name] = (await BLOBS.get(name)) ?? "";
  return { tables, kv };
}

/** How much is stored, to see that a refused request left nothing behind. */
export async function inventory(env: TestEnv): Promise<Readonly<Record<string, unknown>>> {
  const { tables, kv } = await dump(env);
  return {
    ...Object.fromEntries(Object.entries(tables).map(([name, rows]) => [name, rows.length])),
    kv: Object.keys(kv).toSorted(),
  };
}

/** Changes a row as somebody with access to the database would. */
export async function edit(env: TestEnv, sql: string, ...values: (string | number | null)[]): Promise<void> {
  await env.DB.prepare(sql)
    .bind(...values)
    .run();
}
