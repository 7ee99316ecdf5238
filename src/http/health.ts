import { Hono } from "hono";
import { name, version } from "../../package.json";
import type { AppEnv } from "./context.ts";

/** For monitors. Neither touches storage. */
export const health = new Hono<AppEnv>()
  .get("/healthz", (c) => c.json({ status: "ok" }))
  .get("/version", (c) => c.json({ name, version }));
