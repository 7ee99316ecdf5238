import { cors } from "hono/cors";
import { createMiddleware } from "hono/factory";
import type { AppEnv } from "./context.ts";

/** The API answers pages of the dashboard's own origins, exactly; there is no cookie for another to ride on. */
export const dashboardCors = createMiddleware<AppEnv>(async (c, next) => {
  const { adminUrls } = c.env.runtime.site;
  return await cors({
    origin: (origin) => (adminUrls.includes(origin) ? origin : null),
    allowMethods: ["GET", "POST", "PATCH", "DELETE"],
    allowHeaders: ["authorization", "content-type", "idempotency-key", "bindify-credential"],
    exposeHeaders: ["retry-after", "idempotent-replayed", "content-disposition"],
    maxAge: 600,
  })(c, next);
});
