import { schedule } from "../../src/jobs/schedule.ts";
import type { Bindings } from "../../src/runtime.ts";
import worker from "../../src/worker.ts";
import { faultControl, faultPlanSchema, planHeader, type FaultPlan } from "./fault-plan.ts";
import { faultyStorage, type RunOperation } from "./faulty-storage.ts";

/** How often each operation was made to fail since this isolate began. */
const failed = new Map<string, number>();

/**
 * The worker as it ships. Where a request's header says so, the storage of its invocation fails, also for what it
 * defers, and the errors quote everything that storage was given, as those of a careless driver would.
 */
export default {
  async fetch(request, env, ctx): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === faultControl.failed) return Response.json(Object.fromEntries(failed));
    const header = request.headers.get(planHeader);
    if (header === null) return await worker.fetch(request, env, ctx);
    const plan = faultPlanSchema.parse(JSON.parse(header));
    if (pathname === faultControl.schedule) {
      for (const cron of Object.keys(schedule)) {
        const event = { cron, type: "scheduled", scheduledTime: Date.now(), noRetry: () => {} } as const;
        await worker.scheduled(event, faulty(env, plan), ctx);
      }
      return new Response("ok");
    }
    const headers = new Headers(request.headers);
    headers.delete(planHeader);
    return await worker.fetch(new Request(request, { headers }), faulty(env, plan), ctx);
  },

  scheduled: async (event, env, ctx): Promise<void> => {
    await worker.scheduled(event, env, ctx);
  },
} satisfies ExportedHandler<Bindings>;

function faulty(env: Bindings, plan: FaultPlan): Bindings {
  return { ...env, ...faultyStorage(env, failing(plan)) };
}

/** Counts operations from here on, and has those of the plan fail. */
function failing({ first, last, only, time, error, words }: FaultPlan): RunOperation {
  let count = 0;
  return async ({ name, given }, work) => {
    const isMeant = only === "any" || name.startsWith(`${only}:`);
    if (isMeant) count += 1;
    if (!isMeant || count < first || count > last) return await work();
    failed.set(name, (failed.get(name) ?? 0) + 1);
    if (time === "after") await work();
    const said = `${words}: ${name} of ${JSON.stringify(given)}`;
    if (error === "odd") throw new TypeError(`internal error; ${said}`, { cause: given });
    throw new Error(`${name.startsWith("d1:") ? "D1_ERROR" : "KV failed: 500"}: ${said}`, { cause: given });
  };
}
