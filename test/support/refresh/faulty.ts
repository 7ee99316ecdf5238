/**
 * `before`: fails without being executed; `after`: is executed, and its answer is lost. `killed`: the process ends
 * there, before or after the call, and does nothing any more.
 */
export type StoreFault = "before" | "after" | "killed before" | "killed after";

/** Faults by call, e.g. `grants.commit`: the first call meets the first, and so on; `undefined` is no fault. */
export type FaultPlan = Readonly<Record<string, readonly (StoreFault | undefined)[]>>;

export interface FaultyStores<S> {
  readonly stores: S;
  /** Resolves when the process was ended. */
  readonly killed: Promise<"killed">;
  readonly dead: () => boolean;
  /** What the storage executed, whatever the process was told. */
  readonly executed: { readonly call: string; readonly result: unknown }[];
  /** Ends the process now. */
  kill(): void;
}

const never = new Promise<never>(() => undefined);

/** Waited for before each call: decides who of several goes next. */
export type Turn = (call: string) => Promise<unknown>;

/** The real stores, which fail where the plan says so. */
export function faultyStores<S extends object>(real: S, plan: FaultPlan, turn?: Turn): FaultyStores<S> {
  const executed: { call: string; result: unknown }[] = [];
  const left = new Map(Object.entries(plan).map(([call, faults]) => [call, [...faults]]));
  const end = Promise.withResolvers<"killed">();
  let dead = false;
  const kill = (): void => {
    dead = true;
    end.resolve("killed");
  };

  async function run(call: string, work: () => Promise<unknown>): Promise<unknown> {
    if (dead) return await never;
    if (turn !== undefined) await turn(call);
    const fault = left.get(call)?.shift();
    if (fault === "killed before") kill();
    if (fault === "before") throw new Error("D1_ERROR: the test wants it so");
    if (dead) return await never;
    // Nothing of the process goes on while the storage works, however long that takes.
    if (fault === "killed after") dead = true;
    const result = await work();
    executed.push({ call, result });
    if (fault === "killed after") kill();
    if (fault === "after") throw new Error("D1_ERROR: the answer was lost");
    // Whoever died while the storage worked does not see its answer.
    return dead ? await never : result;
  }

  const wrap = (prefix: string, store: object): object =>
    new Proxy(store, {
      get(target, name): unknown {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        return (...values: unknown[]): unknown =>
          run(`${prefix}.${String(name)}`, async () => await Reflect.apply(member, target, values));
      },
    });

  const stores = new Proxy(real, {
    get(target, name): unknown {
      const store: unknown = Reflect.get(target, name);
      return typeof store === "object" && store !== null ? wrap(String(name), store) : store;
    },
  });
  return { stores, executed, killed: end.promise, dead: () => dead, kill };
}
