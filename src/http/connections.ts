import { Hono } from "hono";
import { z } from "zod";
import { Fault } from "../lib/fault.ts";
import { connectWithKey } from "../connect/api-key.ts";
import { disconnect } from "../connect/disconnect.ts";
import { regenerate } from "../connect/regenerate.ts";
import type { Connection } from "../store/connection.ts";
import { readPresented } from "./presented.ts";
import { viewConnection, viewResult } from "./connection-view.ts";
import type { AppEnv } from "./context.ts";
import { check, readJson } from "./json-body.ts";
import { label } from "./fields.ts";
import { requireUser } from "./session.ts";

const newConnection = z.strictObject({
  service: z.string().max(40),
  url: z.string().max(2048).optional(),
  mode: z.string().max(40).optional(),
  fields: z.record(z.string().max(60), z.string().max(8192)),
  header: z.strictObject({ name: z.string().max(200), prefix: z.string().max(200).optional() }).optional(),
  storage: z.enum(["zero_knowledge", "managed"]).default("zero_knowledge"),
  label: label.optional(),
  reauthorize: z.string().max(60).optional(),
  credential: z.string().max(300).optional(),
});

const change = z.strictObject({ label });

const deletion = z.strictObject({ purge: z.literal("now").optional() });

const regeneration = z.strictObject({ credential: z.string().max(300).optional() });

const pageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(100).default(50),
  cursor: z
    .string()
    .regex(/^\d{1,15}\.con_[0-9a-f]{32}$/, { error: "must be the next_cursor of the page before" })
    .transform((text) => {
      const at = text.indexOf(".");
      return { createdAt: Number(text.slice(0, at)), id: text.slice(at + 1) };
    })
    .optional(),
});

export const connections = new Hono<AppEnv>()
  .post("/", async (c) => {
    const user = await requireUser(c);
    const { credential, ...wanted } = await readJson(c.req.raw, newConnection);
    const { runtime } = c.env;
    const present = readPresented(credential, "credential", runtime);
    const minted = await connectWithKey(user.workspace_id, { ...wanted, present }, runtime);
    return c.json(viewResult(minted, runtime), 201);
  })
  .get("/", async (c) => {
    const user = await requireUser(c);
    const { limit, cursor } = check(pageQuery, c.req.query());
    const page = await c.env.runtime.stores.connections.list(user.workspace_id, limit, cursor ?? null);
    return c.json({
      connections: page.items.map((connection) => viewConnection(connection, c.env.runtime)),
      next_cursor: page.nextCursor,
    });
  })
  .get("/:id", async (c) => {
    const user = await requireUser(c);
    const connection = await c.env.runtime.stores.connections.get(user.workspace_id, c.req.param("id"));
    return c.json(viewConnection(found(connection), c.env.runtime));
  })
  .patch("/:id", async (c) => {
    const user = await requireUser(c);
    const wanted = await readJson(c.req.raw, change);
    const { stores } = c.env.runtime;
    const connection = await stores.connections.setLabel(user.workspace_id, c.req.param("id"), wanted.label);
    return c.json(viewConnection(found(connection), c.env.runtime));
  })
  .post("/:id/credential", async (c) => {
    const user = await requireUser(c);
    const { credential } = await readJson(c.req.raw, regeneration);
    const { runtime } = c.env;
    const presented = readPresented(credential, "credential", runtime);
    return c.json(viewResult(await regenerate(user, c.req.param("id"), presented, runtime), runtime), 201);
  })
  .delete("/:id", async (c) => {
    const user = await requireUser(c);
    const { runtime } = c.env;
    const { purge } = check(deletion, c.req.query());
    const presented = readPresented(c.req.header("bindify-credential"), "Bindify-Credential", runtime);
    const id = c.req.param("id");
    const ended = await disconnect(
      user.workspace_id,
      id,
      { present: presented, purge: purge === "now" },
      runtime,
    );
    return c.json({
      connection: viewConnection(found(ended?.connection ?? null), runtime),
      revocation: ended?.revocation,
    });
  });

function found(connection: Connection | null): Connection {
  if (connection === null) throw new Fault("unknown_connection");
  return connection;
}
