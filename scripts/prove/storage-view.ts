import { timingSafeEqual } from "node:crypto";
import { fromBase64Url, toHex } from "../../src/lib/bytes.ts";
import { deriveSealingKey } from "../../src/vault/derive.ts";
import { open, readHeader } from "../../src/vault/envelope.ts";
import { parseKeyring } from "../../src/vault/keyring.ts";
import type { Instance } from "../../test/support/node/instance.ts";
import type { Collected, Sink } from "./evidence.ts";
import type { Secrets } from "./secrets.ts";

type Row = Readonly<Record<string, unknown>>;

export interface StorageView {
  /** Every row of every table, and every key, value and metadata of KV, as evidence. */
  collect(): Promise<void>;
  /** One table alone, for what is in it for moments only. */
  collectTable(name: string): Promise<void>;
  /** What the worker printed, and what the platform would have recorded of it. */
  collectLogs(): void;
  /** Changes rows, as time or somebody with the database would. */
  change(sql: string): Promise<void>;
  rows(sql: string): Promise<readonly Row[]>;
  /** Opens the stored data keys with the master keys, so that they can be looked for. */
  noteDataKeys(): Promise<void>;
}

/** Places of a table that may hold something by name. */
const records = [{ rule: "the record of a person" }] as const;

export function createStorageView(
  { database, blobs, logs, traces }: Instance,
  masterKeys: readonly string[],
  secrets: Secrets,
  collected: Collected,
): StorageView {
  const rows: StorageView["rows"] = async (sql) => (await database.prepare(sql).all<Row>()).results;
  const note = (table: string, found: readonly Row[]): void => {
    const sink: Sink = table.startsWith("audit_") ? "audit row" : "D1 row";
    for (const row of found) {
      for (const [column, value] of Object.entries(row)) {
        if (typeof value !== "string") continue;
        const place = `${table}.${column}`;
        collected.add(sink, place, value, place === "users.email" ? records : []);
      }
    }
  };
  // Each statement that is made stops this process until the other one has it: they are kept.
  const selects = new Map<string, ReturnType<typeof database.prepare>>();
  const selectOf = (table: string): ReturnType<typeof database.prepare> => {
    const select = selects.get(table) ?? database.prepare(`SELECT * FROM "${table}"`);
    selects.set(table, select);
    return select;
  };
  const tables = rows(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf_*' AND name NOT GLOB 'sqlite_*'",
  );
  const collectTables = async (): Promise<void> => {
    const names = (await tables).map(({ name }) => String(name));
    const results = await database.batch<Row>(names.map((name) => selectOf(name)));
    for (const [at, name] of names.entries()) note(name, results[at]?.results ?? []);
  };
  /** Of these a value is written once. */
  const read = new Set<string>();
  const collectBlobs = async (): Promise<void> => {
    let cursor: string | undefined;
    do {
      const page = await blobs.list(cursor === undefined ? {} : { cursor });
      for (const { name, metadata } of page.keys) {
        const family = name.slice(0, 1);
        collected.add("KV key", `key of ${family}/`, name);
        if (metadata !== undefined) collected.add("KV metadata", "metadata", JSON.stringify(metadata));
        if (read.has(name)) continue;
        if (family === "t") read.add(name);
        const value: unknown = await blobs.get(name, "text");
        if (typeof value === "string") collected.add("KV value", `value of ${family}/`, value);
      }
      cursor = page.list_complete ? undefined : page.cursor;
    } while (cursor !== undefined);
  };
  return {
    rows,
    collectTable: async (name) => note(name, (await selectOf(name).all<Row>()).results),
    collect: async () => {
      await collectTables();
      await collectBlobs();
    },
    collectLogs: () => {
      for (const { level, message } of logs) collected.add("worker console", level, message);
      for (const { url, outcome, exceptions, logs: lines } of traces) {
        // The platform keeps nothing of an invocation that is silent, and adds its address to all that another says.
        const silent = lines.length === 0 && exceptions.length === 0;
        const recorded = { outcome, exceptions, lines, ...(silent ? {} : { url }) };
        collected.add("platform trace", "trace", JSON.stringify(recorded));
      }
    },
    change: async (sql) => {
      await database.prepare(sql).run();
    },
    noteDataKeys: async () => {
      // The platform's comparison, which Node spells otherwise.
      Object.assign(crypto.subtle, { timingSafeEqual });
      const keyring = await parseKeyring({ keys: JSON.stringify(masterKeys.map((key) => ({ key }))) });
      const wrapped = await rows(
        "SELECT w.wrapped, k.id, k.owner FROM data_key_wrappings w JOIN data_keys k ON k.id = w.data_key_id",
      );
      for (const row of wrapped) {
        const envelope = fromBase64Url(String(row["wrapped"])) ?? new Uint8Array(0);
        const { kid } = readHeader(envelope);
        const masterKey = keyring?.byFingerprint.get(toHex(kid));
        const id = String(row["id"]);
        if (masterKey === undefined) throw new Error("a data key is wrapped under a key that nobody has");
        const bytes = await open({
          key: await deriveSealingKey(masterKey.material, id, "data-key"),
          kid,
          envelope,
          context: {
            environment: "test",
            connectionId: id,
            workspaceId: String(row["owner"]),
            serviceId: "",
            storage: "deployment",
            lookup: new Uint8Array(0),
            verifier: new Uint8Array(0),
            purpose: "data-key",
            generation: 0,
          },
        });
        secrets.note("data key", "deployment", bytes);
      }
    },
  };
}
