const originals = new WeakMap<D1PreparedStatement, D1PreparedStatement>();

/** The real database, which does `meanwhile`, to its end, after its `turn`-th operation and before that is answered. */
export function interleaved(db: D1Database, turn: number, meanwhile: () => Promise<unknown>): D1Database {
  let operations = 0;
  const after = async <T>(operation: Promise<T>): Promise<T> => {
    const result = await operation;
    operations += 1;
    if (operations === turn) await meanwhile();
    return result;
  };
  const wrap = (statement: D1PreparedStatement): D1PreparedStatement => {
    const wrapper = new Proxy(statement, {
      get(target, name): unknown {
        if (name === "bind") return (...values: unknown[]) => wrap(target.bind(...values));
        if (name === "all" || name === "run") return async () => await after(target.all());
        if (name === "first") return async () => (await after(target.all())).results[0] ?? null;
        throw new Error(`D1 ${String(name)} is not interleaved`);
      },
    });
    originals.set(wrapper, statement);
    return wrapper;
  };
  return new Proxy(db, {
    get(target, name): unknown {
      if (name === "prepare") return (sql: string) => wrap(target.prepare(sql));
      if (name !== "batch") throw new Error(`D1 ${String(name)} is not interleaved`);
      return async (statements: readonly D1PreparedStatement[]) =>
        await after(target.batch(statements.map((one) => originals.get(one) ?? one)));
    },
  });
}
