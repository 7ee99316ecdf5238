import { refreshDue, type RefreshDueDeps } from "../../../src/jobs/refresh-due.ts";
import type { LogEvent } from "../../../src/lib/log.ts";
import type { Outbound } from "../../../src/lib/outbound.ts";
import { createOauthHttp } from "../../../src/oauth/http.ts";
import type { FaultPlan, Turn } from "./faulty.ts";
import type { World } from "./world.ts";

interface Changes {
  readonly budget?: number;
  readonly plan?: FaultPlan;
  readonly clock?: RefreshDueDeps["clock"];
  /** Waited for before each call of a store. */
  readonly turn?: Turn;
  /** Around whatever leaves for a provider. */
  readonly around?: (send: Outbound) => Outbound;
  readonly outbound?: Outbound;
}

interface Run {
  /** How many connections the job worked on. */
  readonly done: number;
  readonly events: readonly LogEvent[];
}

/** One run of the real job over the real D1 and KV, as a process of its own; each world has its own provider. */
export async function runDue(worlds: readonly World[], changes: Changes = {}): Promise<Run> {
  const [first] = worlds;
  if (first === undefined) throw new Error("no world");
  const actor = first.actor(changes.plan, changes.clock, changes.turn);
  const dispatch: Outbound = async (url, request) => {
    const token = new URLSearchParams(typeof request.body === "string" ? request.body : "").get(
      "refresh_token",
    );
    const owner = worlds.find((world) => world.provider.takes(token ?? undefined)) ?? first;
    return await owner.provider.outbound(url, request);
  };
  const outbound = (changes.around ?? ((send) => send))(dispatch);
  const done = await refreshDue({
    ...actor.deps,
    oauth: createOauthHttp(outbound),
    outbound: changes.outbound ?? outbound,
    site: { brand: "Bindify" },
    backgroundBudget: changes.budget ?? 100,
  });
  await actor.settle();
  return { done, events: actor.events };
}
