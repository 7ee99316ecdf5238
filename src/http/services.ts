import { Hono } from "hono";
import { Fault } from "../lib/fault.ts";
import type { AppEnv } from "./context.ts";

/** The catalogue, public: what can be connected here, how, and why not. */
export const services = new Hono<AppEnv>()
  .get("/", (c) => {
    const { catalogue } = c.env.runtime;
    return c.json({ services: catalogue.list().map((service) => catalogue.publicView(service)) });
  })
  .get("/:id", (c) => {
    const { catalogue } = c.env.runtime;
    const service = catalogue.get(c.req.param("id"));
    if (service === undefined) throw new Fault("unknown_service");
    return c.json(catalogue.publicView(service));
  });
