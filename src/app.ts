import { Hono } from "hono";
import { methodNotAllowed } from "hono/method-not-allowed";
import { account } from "./http/account.ts";
import { apiDocument } from "./http/api-document.ts";
import { billing } from "./http/billing.ts";
import { connections } from "./http/connections.ts";
import type { AppEnv, Runtime } from "./http/context.ts";
import { dashboardCors } from "./http/cors.ts";
import { events } from "./http/events.ts";
import { health } from "./http/health.ts";
import { serveMcp } from "./http/mcp.ts";
import { notFound } from "./http/not-found.ts";
import { oauth } from "./http/oauth.ts";
import { plainHeaders, problem } from "./http/problem.ts";
import { services } from "./http/services.ts";
import { signIn } from "./http/sign-in.ts";
import { support } from "./http/support.ts";
import { tokens } from "./http/tokens.ts";
import { webhook } from "./http/webhook.ts";
import { Fault } from "./lib/fault.ts";
import { errorKind } from "./lib/log.ts";
import { pathOf } from "./lib/path.ts";
import { VaultError } from "./vault/error.ts";

/**
 * Every route. Whatever is not named here is a plain 404 without a look-up: also the well-known and OAuth paths that
 * clients try, with the credential in them, when something goes wrong.
 */
export const app = new Hono<AppEnv>();

app.use("/api/*", dashboardCors);
app.use("/api/*", async (c, next) => {
  await next();
  for (const [name, value] of Object.entries(plainHeaders)) c.res.headers.set(name, value);
});
const knownMethods = methodNotAllowed({
  app,
  onMethodNotAllowed: (_, methods) =>
    problem(new Fault("method_not_allowed", { params: { allow: methods.join(", ") } })),
});
const ownPaths = ["/api/*", "/webhooks/*", "/healthz", "/version", "/openapi.json", "/docs", "/security"];
for (const path of ownPaths) app.use(path, knownMethods);

app.route("/api", account);
app.route("/api/connections", signIn);
app.route("/api/connections", connections);
app.route("/api/services", services);
app.route("/api/tokens", tokens);
app.route("/api/events", events);
app.route("/api/billing", billing);
app.route("/api/support", support);
app.route("/webhooks", webhook);
app.route("/oauth", oauth);
app.route("/", apiDocument);
app.route("/", health);

app.notFound((c) => notFound(c.req.raw, c.env.runtime));

app.onError((error, c) => {
  if (error instanceof Fault) return problem(error);
  // A workspace's data key, a flow or a client registration needs a master key that is not loaded.
  if (error instanceof VaultError && error.code === "unknown_key")
    return problem(new Fault("master_key_missing"));
  const kind = errorKind(error);
  c.env.runtime.log({ event: "request_crashed", route: "api", error: kind });
  return problem(new Fault(kind === "D1" ? "storage_unavailable" : "internal", { retryAfter: 5 }));
});

/** Answers a request. Proxied ones go straight to their function: they have a single route, and each call pays. */
export async function answer(request: Request, runtime: Runtime, ctx: ExecutionContext): Promise<Response> {
  if (pathOf(request.url).startsWith("/mcp/")) return await serveMcp(request, runtime);
  return await app.fetch(request, { runtime }, ctx);
}
