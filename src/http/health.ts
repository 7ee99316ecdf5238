import { Hono } from "hono";
import { name, version } from "../../package.json";
import type { AppEnv } from "./context.ts";

/** For monitors. Neither touches storage. Commit and hash are the operator's word, given at the deployment. */
export const health = new Hono<AppEnv>()
  .get("/healthz", (c) => c.json({ status: "ok" }))
  .get("/version", (c) => {
    const { commit, bundle } = c.env.runtime.site.release;
    return c.json({ name, version, commit, bundle_sha256: bundle });
  });
