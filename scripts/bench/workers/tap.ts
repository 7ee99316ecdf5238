// Stands between Bindify and its bindings, for rows that count or replace what they do.

export interface Operation {
  readonly binding: "d1" | "kv";
  /** SQL text, or the method of a namespace. */
  readonly what: string;
  /** Statements that travel together; 1 except in a batch. */
  readonly statements: number;
}

/** Called for every operation that would leave the isolate; `execute` performs it. */
export type Tap = (operation: Operation, execute: () => Promise<unknown>) => Promise<unknown>;

/** Statements of the real binding by the proxies that were handed out for them: a batch needs them back. */
const originals = new WeakMap<D1PreparedStatement, { statement: D1PreparedStatement; sql: string }>();

const asMethod = (value: unknown, target: object): unknown =>
  typeof value === "function" ? (...args: unknown[]): unknown => Reflect.apply(value, target, args) : value;

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function firstRow(result: unknown): Record<string, unknown> | null {
  const rows: unknown = isRecord(result) ? result["results"] : undefined;
  const row: unknown = Array.isArray(rows) ? rows[0] : undefined;
  return isRecord(row) ? row : null;
}

function tapStatement(statement: D1PreparedStatement, sql: string, tap: Tap): D1PreparedStatement {
  const operation: Operation = { binding: "d1", what: sql, statements: 1 };
  const proxy = new Proxy(statement, {
    get(target, key) {
      switch (key) {
        case "bind":
          return (...values: unknown[]) => tapStatement(target.bind(...values), sql, tap);
        case "all":
        case "run":
          return () => tap(operation, () => target.all());
        case "first":
          // `first` drops the meta data that counts rows, so it is answered from `all`.
          return async (column?: string) => {
            const row = firstRow(await tap(operation, () => target.all()));
            return row === null || column === undefined ? row : row[column];
          };
        case "raw":
          return (options?: { columnNames?: false }) =>
            tap({ ...operation, what: `raw ${sql}` }, () => target.raw(options));
        default:
          return asMethod(Reflect.get(target, key), target);
      }
    },
  });
  originals.set(proxy, { statement, sql });
  return proxy;
}

/** A database, or a session of one, whose every statement passes through `tap`. */
export function tapDatabase<Database extends D1Database | D1DatabaseSession>(
  db: Database,
  tap: Tap,
): Database {
  return new Proxy(db, {
    get(target, key) {
      switch (key) {
        case "prepare":
          return (sql: string) => tapStatement(target.prepare(sql), sql, tap);
        case "batch":
          return (statements: D1PreparedStatement[]) => {
            const own = statements.map((one) => originals.get(one) ?? { statement: one, sql: "?" });
            return tap(
              { binding: "d1", what: own.map(({ sql }) => sql).join(";\n"), statements: own.length },
              () => target.batch(own.map(({ statement }) => statement)),
            );
          };
        case "withSession":
          return (constraint?: string) =>
            "withSession" in target ? tapDatabase(target.withSession(constraint), tap) : target;
        default:
          return asMethod(Reflect.get(target, key), target);
      }
    },
  });
}

/** A namespace whose every call passes through `tap`. */
export function tapNamespace(kv: KVNamespace, tap: Tap): KVNamespace {
  return new Proxy(kv, {
    get(target, key) {
      const method: unknown = Reflect.get(target, key);
      if (typeof method !== "function") return method;
      return (...args: unknown[]) =>
        tap({ binding: "kv", what: String(key), statements: 1 }, () =>
          Promise.resolve<unknown>(Reflect.apply(method, target, args)),
        );
    },
  });
}

/**
 * On the platform a rate limit is looked up beside the worker, without a network wait. Miniflare simulates it with
 * a Durable Object that writes to SQLite at each call, which costs more than the D1 read; so it counts in memory here.
 */
function memoryLimiter(limit: number): RateLimit {
  const counts = new Map<string, number>();
  return {
    limit: ({ key }) => {
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      return Promise.resolve({ success: count <= limit });
    },
  };
}

/** The environment with a connection's rate limit in memory; it is never met. */
export function withMemoryLimiter<Env extends { readonly CONNECTION_LIMIT: RateLimit }>(env: Env): Env {
  return { ...env, CONNECTION_LIMIT: memoryLimiter(Number.MAX_SAFE_INTEGER) };
}
