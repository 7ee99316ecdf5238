export interface Meter {
  readonly db: D1Database;
  rowsRead: number;
  /** Every statement that was run. */
  readonly statements: Set<string>;
}

const known = new WeakMap<
  D1PreparedStatement,
  { readonly statement: D1PreparedStatement; readonly sql: string }
>();

/** The real database behind a wrapper that adds up the rows that it says it read. */
export function metered(db: D1Database): Meter {
  const meter = { rowsRead: 0, statements: new Set<string>() };
  const note = <Result extends D1Result>(sql: string, result: Result): Result => {
    meter.rowsRead += result.meta.rows_read;
    meter.statements.add(sql);
    return result;
  };
  const wrap = (statement: D1PreparedStatement, sql: string): D1PreparedStatement => {
    const wrapper = new Proxy(statement, {
      get(target, name): unknown {
        if (name === "bind") return (...values: unknown[]) => wrap(target.bind(...values), sql);
        if (name === "run" || name === "all") return async () => note(sql, await target.all());
        // `first` tells nothing of what it read.
        if (name === "first") return async () => note(sql, await target.all()).results[0] ?? null;
        throw new Error(`D1 ${String(name)} is not metered`);
      },
    });
    known.set(wrapper, { statement, sql });
    return wrapper;
  };
  const wrapped = new Proxy(db, {
    get(target, name): unknown {
      if (name === "prepare") return (sql: string) => wrap(target.prepare(sql), sql);
      if (name !== "batch") throw new Error(`D1 ${String(name)} is not metered`);
      return async (statements: readonly D1PreparedStatement[]) => {
        const real = statements.map((one) => known.get(one) ?? { statement: one, sql: "?" });
        const results = await target.batch(real.map(({ statement }) => statement));
        return results.map((result, at) => note(real[at]?.sql ?? "?", result));
      };
    },
  });
  return Object.assign(meter, { db: wrapped });
}
