import { answer } from "./app.ts";
import { problem } from "./http/problem.ts";
import { runSchedule } from "./jobs/schedule.ts";
import { Fault } from "./lib/fault.ts";
import { consoleLog, errorKind } from "./lib/log.ts";
import { pathOf } from "./lib/path.ts";
import { createRuntime, type Bindings } from "./runtime.ts";

export default {
  async fetch(request, env, ctx): Promise<Response> {
    const secretPath = mayHoldCredential(request);
    try {
      const runtime = await createRuntime(env, ctx, secretPath ? "log_events" : "log");
      return await answer(request, runtime, ctx);
    } catch (error) {
      // Nothing may escape: the platform would record the exception together with the URL.
      if (!secretPath) report(error);
      return problem(error instanceof Fault ? error : new Fault("internal", { retryAfter: 5 }));
    }
  },

  async scheduled(event, env, ctx): Promise<void> {
    try {
      await runSchedule(event.cron, await createRuntime(env, ctx, "log"));
    } catch (error) {
      report(error);
    }
  },
} satisfies ExportedHandler<Bindings>;

const plainPaths = new Set([
  "/healthz",
  "/version",
  "/openapi.json",
  "/docs",
  "/security",
  "/webhooks/stripe",
]);

/** Words and ids of ours. */
const plainApi = /^\/api(?:\/[a-z0-9-]{1,30}|\/[a-z]{3}_[0-9a-f]{32})+$/;

/** Everything but the known plain addresses: clients put credentials into paths and queries that nobody expects. */
function mayHoldCredential({ url }: Request): boolean {
  const path = pathOf(url);
  return url.includes("?") || !(plainPaths.has(path) || plainApi.test(path));
}

function report(error: unknown): void {
  if (error instanceof Fault && error.code === "misconfigured") {
    consoleLog({ event: "misconfigured", variable: error.params["variable"] ?? "unknown" });
  } else {
    consoleLog({ event: "request_crashed", route: "scheduled", error: errorKind(error) });
  }
}
