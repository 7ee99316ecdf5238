import { env } from "cloudflare:workers";
import type { FaultTime } from "./fault-plan.ts";
import { faultyStorage } from "./faulty-storage.ts";
import type { TestEnv } from "./instance.ts";

export type { FaultTime } from "./fault-plan.ts";

export interface FaultyEnv {
  readonly env: Partial<TestEnv>;
  /** The operation that failed, such as `d1:batch`; undefined where there were not as many. */
  fired(): string | undefined;
}

/** The real D1 and KV, whose operation number `at` (from 1, counted over both) fails as their drivers do. */
export function faultyEnv(at: number, time: FaultTime): FaultyEnv {
  let count = 0;
  let fired: string | undefined;
  const storage = faultyStorage(env, async ({ name }, work) => {
    count += 1;
    if (count !== at) return await work();
    fired = name;
    if (time === "after") await work();
    throw new Error(name.startsWith("d1:") ? "D1_ERROR: the test wants it so" : "KV failed: 500");
  });
  return { env: storage, fired: () => fired };
}
