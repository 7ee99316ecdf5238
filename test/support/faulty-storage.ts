/** An operation that reaches D1 or KV, and all that a driver could quote of it. */
export interface StorageOperation {
  /** `d1:first`, `kv:get` … */
  readonly name: string;
  /** Statements with what is bound to them; the arguments of a KV method. */
  readonly given: readonly unknown[];
}

/** Does the work, or fails as a driver does, before it or after it. */
export type RunOperation = (operation: StorageOperation, work: () => Promise<unknown>) => Promise<unknown>;

interface Storage {
  readonly DB: D1Database;
  readonly BLOBS: KVNamespace;
}

/** A statement as it was made, for messages and for `batch`, which wants the real ones. */
interface Made {
  readonly statement: D1PreparedStatement;
  readonly quoted: { readonly sql: string; readonly bound: readonly unknown[] };
}

/** The real D1 and KV, each of whose operations `run` does. */
export function faultyStorage({ DB, BLOBS }: Storage, run: RunOperation): Storage {
  const known = new WeakMap<D1PreparedStatement, Made>();
  const wrap = (made: Made): D1PreparedStatement => {
    const { statement, quoted } = made;
    const wrapper = new Proxy(statement, {
      get(target, name): unknown {
        if (name === "bind")
          return (...bound: unknown[]) =>
            wrap({ statement: target.bind(...bound), quoted: { ...quoted, bound } });
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== "function") return method;
        return async (...values: unknown[]): Promise<unknown> =>
          await run(
            { name: `d1:${String(name)}`, given: [quoted] },
            async () => await Reflect.apply(method, target, values),
          );
      },
    });
    known.set(wrapper, made);
    return wrapper;
  };

  const database = new Proxy(DB, {
    get(target, name) {
      if (name === "prepare")
        return (sql: string) => wrap({ statement: target.prepare(sql), quoted: { sql, bound: [] } });
      if (name !== "batch") throw new Error(`D1 ${String(name)} cannot be made to fail`);
      return async (statements: D1PreparedStatement[]): Promise<unknown> => {
        const made = statements.map((one) => known.get(one) ?? { statement: one, quoted: "?" });
        const given = made.map(({ quoted }) => quoted);
        return await run(
          { name: "d1:batch", given },
          async () => await target.batch(made.map(({ statement }) => statement)),
        );
      };
    },
  });

  const blobs = new Proxy(BLOBS, {
    get(target, name): unknown {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== "function") return method;
      return async (...given: unknown[]): Promise<unknown> =>
        await run(
          { name: `kv:${String(name)}`, given },
          async () => await Reflect.apply(method, target, given),
        );
    },
  });

  return { DB: database, BLOBS: blobs };
}
