import { strayOffence } from "../defence/offence.ts";
import { Fault } from "../lib/fault.ts";
import { pathOf } from "../lib/path.ts";
import { callerOf } from "./address.ts";
import type { Runtime } from "./context.ts";
import { problem } from "./problem.ts";

/** The answer to a path that is none of ours: nothing is looked up, and who asks for many of them has to wait. */
export async function notFound(request: Request, runtime: Runtime): Promise<Response> {
  const path = pathOf(request.url);
  const miss = { caller: callerOf(request.headers), offence: strayOffence(path), tried: path };
  const wait = await runtime.guard(miss, runtime);
  return problem(
    wait === undefined ? new Fault("not_found") : new Fault("rate_limited", { retryAfter: wait }),
  );
}
