import { createExecutionContext, createScheduledController, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { answer } from "../../src/app.ts";
import type { Runtime } from "../../src/http/context.ts";
import { createRuntime } from "../../src/runtime.ts";
import worker from "../../src/worker.ts";
import { checkDocumented } from "./documented.ts";

export type TestEnv = Cloudflare.Env & {
  PAUSED_SERVICES?: string;
  MAX_USERS?: string;
  SMTP2GO_API_KEY?: string;
  MAIL_SENDER?: string;
  BACKGROUND_BUDGET?: string;
  STRIPE_SECRET_KEY?: string;
  STRIPE_WEBHOOK_SECRET?: string;
  STRIPE_PRICE_CONNECTIONS?: string;
  STRIPE_API_URL?: string;
  TRIAL_DAYS?: string;
  ALLOWED_ADDRESSES?: string;
  COMMIT?: string;
  BUNDLE_HASH?: string;
  ZOHO_DESK_ORG_ID?: string;
  ZOHO_DESK_DEPARTMENT_ID?: string;
  ZOHO_REGION?: string;
  ZOHO_CLIENT_ID?: string;
  ZOHO_CLIENT_SECRET?: string;
  ZOHO_REFRESH_TOKEN?: string;
};

/** What a test says of a request. */
export type CallInit = Pick<RequestInit, "method" | "headers" | "body" | "signal">;

export interface Instance {
  readonly env: TestEnv;
  /** Calls the worker as the platform does and waits for what it deferred. */
  fetch(path: string, init?: CallInit): Promise<Response>;
  cron(pattern: string): Promise<void>;
  runtime(): Promise<Runtime>;
}

let addresses = 0;

/** An address of its own for each request, so that tests do not run into each other's rate limits. */
function nextAddress(): string {
  addresses += 1;
  return `198.18.${addresses >> 8}.${addresses & 255}`;
}

/**
 * The worker with its real D1 and KV. `changes` replaces variables or bindings; `patch` replaces parts of the
 * runtime, for faults that no real server can be made to show.
 */
export function createInstance(
  changes: Partial<TestEnv> = {},
  patch?: (runtime: Runtime) => Runtime,
): Instance {
  const own: TestEnv = { ...env, ...changes };

  const serve = async (request: Request<unknown, IncomingRequestCfProperties>, ctx: ExecutionContext) => {
    if (patch === undefined) return await worker.fetch(request, own, ctx);
    const isApi = new URL(request.url).pathname.startsWith("/api/");
    const runtime = patch(await createRuntime(own, ctx, isApi ? "log" : "log_events"));
    return await answer(request, runtime, ctx);
  };

  return {
    env: own,
    async fetch(path, init = {}) {
      const headers = new Headers(init.headers);
      if (!headers.has("cf-connecting-ip")) headers.set("cf-connecting-ip", nextAddress());
      const url = path.startsWith("http") ? path : own.PUBLIC_URL + path;
      const request = new Request<unknown, IncomingRequestCfProperties>(url, { ...init, headers });
      const ctx = createExecutionContext();
      const response = await serve(request, ctx);
      await waitOnExecutionContext(ctx);
      await checkDocumented(request.method, new URL(url).pathname, response);
      return response;
    },
    async cron(pattern) {
      const ctx = createExecutionContext();
      const controller = createScheduledController({ cron: pattern, scheduledTime: new Date() });
      await worker.scheduled(controller, own, ctx);
      await waitOnExecutionContext(ctx);
    },
    async runtime() {
      return await createRuntime(own, createExecutionContext(), "log");
    },
  };
}
