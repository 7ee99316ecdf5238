import { env } from "cloudflare:workers";
import type { TestEnv } from "./instance.ts";

export interface StorageCall {
  /** `d1:first`, `kv:get` … */
  readonly operation: string;
  /** The statement, or the KV key. */
  readonly what: string;
}

export interface Ledger {
  readonly env: TestEnv;
  readonly calls: StorageCall[];
  /** Operations since the last time, as `d1:first d1:run kv:get`. */
  take(): string;
}

/** The real D1 and KV behind wrappers that write down each operation that reaches them. */
export function countedEnv(): Ledger {
  const calls: StorageCall[] = [];
  return {
    env: { ...env, DB: countedDatabase(env.DB, calls), BLOBS: countedBlobs(env.BLOBS, calls) },
    calls,
    take: () =>
      calls
        .splice(0)
        .map((call) => call.operation)
        .join(" "),
  };
}

/** Statements that came out of a wrapper, for `batch`, which wants the real ones. */
const originals = new WeakMap<D1PreparedStatement, { statement: D1PreparedStatement; sql: string }>();

function countedDatabase(db: D1Database, calls: StorageCall[]): D1Database {
  return new Proxy(db, {
    get(target, name) {
      if (name === "prepare") return (sql: string) => counted(target.prepare(sql), sql, calls);
      if (name !== "batch") throw new Error(`D1 ${String(name)} is not counted`);
      return async (statements: D1PreparedStatement[]) => {
        const real = statements.map((wrapped) => originals.get(wrapped) ?? { statement: wrapped, sql: "?" });
        for (const { sql } of real) calls.push({ operation: "d1:batch", what: sql });
        return await target.batch(real.map(({ statement }) => statement));
      };
    },
  });
}

function counted(statement: D1PreparedStatement, sql: string, calls: StorageCall[]): D1PreparedStatement {
  const wrapper = new Proxy(statement, {
    get(target, name): unknown {
      if (name === "bind") return (...values: unknown[]) => counted(target.bind(...values), sql, calls);
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== "function") return method;
      return (...values: unknown[]): unknown => {
        calls.push({ operation: `d1:${String(name)}`, what: sql });
        return Reflect.apply(method, target, values);
      };
    },
  });
  originals.set(wrapper, { statement, sql });
  return wrapper;
}

function countedBlobs(kv: KVNamespace, calls: StorageCall[]): KVNamespace {
  return new Proxy(kv, {
    get(target, name): unknown {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== "function") return method;
      return (...values: unknown[]): unknown => {
        calls.push({ operation: `kv:${String(name)}`, what: String(values[0]) });
        return Reflect.apply(method, target, values);
      };
    },
  });
}
