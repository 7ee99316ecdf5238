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

/** Everything but the known plain routes: clients put credentials into paths that nobody expects. */
function mayHoldCredential(request: Request): boolean {
  const path = pathOf(request.url);
  return !(path.startsWith("/api/") || plainPaths.has(path));
}

function report(error: unknown): void {
  if (error instanceof Fault && error.code === "misconfigured") {
    consoleLog({ event: "misconfigured", variable: error.params["variable"] ?? "unknown" });
  } else {
    consoleLog({ event: "request_crashed", route: "scheduled", error: errorKind(error) });
  }
}
