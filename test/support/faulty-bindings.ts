import { env } from "cloudflare:workers";
import type { TestEnv } from "./instance.ts";

/** `before`: fails without being executed. `after`: is executed, and its answer is lost. */
export type FaultTime = "before" | "after";

export interface FaultyEnv {
  readonly env: Partial<TestEnv>;
  /** The operation that failed, such as `d1:batch`; undefined where there were not as many. */
  fired(): string | undefined;
}

/** The real D1 and KV, whose operation number `at` (from 1, counted over both) fails as their drivers do. */
export function faultyEnv(at: number, time: FaultTime): FaultyEnv {
  let count = 0;
  let fired: string | undefined;

  const run = async (operation: string, message: string, work: () => Promise<unknown>): Promise<unknown> => {
    count += 1;
    if (count !== at) return await work();
    fired = operation;
    if (time === "after") await work();
    throw new Error(message);
  };

  const originals = new WeakMap<D1PreparedStatement, D1PreparedStatement>();
  const statement = (real: D1PreparedStatement): D1PreparedStatement => {
    const wrapper = new Proxy(real, {
      get(target, name): unknown {
        if (name === "bind") return (...values: unknown[]) => statement(target.bind(...values));
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== "function") return method;
        return async (...values: unknown[]): Promise<unknown> =>
          await run(
            `d1:${String(name)}`,
            "D1_ERROR: the test wants it so",
            async () => await Reflect.apply(method, target, values),
          );
      },
    });
    originals.set(wrapper, real);
    return wrapper;
  };

  const database = new Proxy(env.DB, {
    get(target, name) {
      if (name === "prepare") return (sql: string) => statement(target.prepare(sql));
      if (name !== "batch") throw new Error(`D1 ${String(name)} cannot be made to fail`);
      return async (statements: D1PreparedStatement[]): Promise<unknown> => {
        const real = statements.map((wrapped) => originals.get(wrapped) ?? wrapped);
        return await run("d1:batch", "D1_ERROR: the test wants it so", async () => await target.batch(real));
      };
    },
  });

  const blobs = new Proxy(env.BLOBS, {
    get(target, name): unknown {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== "function") return method;
      return async (...values: unknown[]): Promise<unknown> =>
        await run(
          `kv:${String(name)}`,
          "KV failed: 500",
          async () => await Reflect.apply(method, target, values),
        );
    },
  });

  return { env: { DB: database, BLOBS: blobs }, fired: () => fired };
}
