import { Hono } from "hono";
import { Fault } from "../lib/fault.ts";
import { connectWithKey } from "../connect/api-key.ts";
import { disconnect } from "../connect/disconnect.ts";
import { purgeConnection } from "../connect/erase.ts";
import { regenerate } from "../connect/regenerate.ts";
import type { Connection } from "../store/connection.ts";
import { readPresented } from "./presented.ts";
import { activityDays } from "./activity.ts";
import { healthOf, healthSentence, reauthorizeSince } from "./connection-health.ts";
import { createdView, iso, viewConnection } from "./connection-view.ts";
import type { AppEnv } from "./context.ts";
import { check, parseJson, readBody, readJson } from "./json-body.ts";
import { once } from "./once.ts";
import {
  activityQuery,
  connectionChange,
  connectionsQuery,
  deletionQuery,
  newConnection,
  regeneration,
} from "./schemas/connections.ts";
import { requireUser } from "./session.ts";

export const connections = new Hono<AppEnv>()
  .post("/", async (c) => {
    const session = await requireUser(c, "manage");
    const body = await readBody(c.req.raw);
    const { credential, ...wanted } = parseJson(body, newConnection);
    const { runtime } = c.env;
    const present = readPresented(credential, "credential", runtime);
    return await once(c, session, body, async () =>
      createdView(await connectWithKey(session, { ...wanted, present }, runtime), runtime),
    );
  })
  .get("/", async (c) => {
    const session = await requireUser(c, "read");
    const { limit, cursor } = check(connectionsQuery, c.req.query());
    const at = cursor?.indexOf(".") ?? 0;
    const after =
      cursor === undefined ? null : { createdAt: Number(cursor.slice(0, at)), id: cursor.slice(at + 1) };
    const page = await c.env.runtime.stores.connections.list(session.workspace_id, limit, after);
    return c.json({
      connections: page.items.map((connection) => viewConnection(connection, c.env.runtime)),
      next_cursor: page.nextCursor,
    });
  })
  .get("/:id", async (c) => {
    const session = await requireUser(c, "read");
    const connection = await c.env.runtime.stores.connections.get(session.workspace_id, c.req.param("id"));
    return c.json(viewConnection(found(connection), c.env.runtime));
  })
  .get("/:id/health", async (c) => {
    const session = await requireUser(c, "read");
    const { stores, catalogue, clock } = c.env.runtime;
    const connection = found(await stores.connections.get(session.workspace_id, c.req.param("id")));
    const now = clock();
    return c.json({
      health: healthOf(connection, now),
      sentence: healthSentence(connection, catalogue.get(connection.service)?.name ?? "The service", now),
      access_expires_at: iso(connection.access_expires_at),
      last_used_at: iso(connection.last_used_at),
      last_refreshed_at: iso(connection.refreshed_at),
      reauthorize_since: iso(reauthorizeSince(connection, now)),
      refused_since: iso(connection.refused_since),
      unreachable_since: iso(connection.unreachable_since),
    });
  })
  .get("/:id/activity", async (c) => {
    const session = await requireUser(c, "read");
    const { days } = check(activityQuery, c.req.query());
    const { stores } = c.env.runtime;
    const connection = found(await stores.connections.get(session.workspace_id, c.req.param("id")));
    return c.json({ days: activityDays(await stores.usage.days(connection.id, days), days) });
  })
  .patch("/:id", async (c) => {
    const session = await requireUser(c, "manage");
    const { label } = await readJson(c.req.raw, connectionChange);
    const { runtime } = c.env;
    const { workspace_id: workspaceId, actor } = session;
    const changed = await runtime.stores.connections.setLabel(workspaceId, c.req.param("id"), label, actor);
    return c.json(viewConnection(found(changed), runtime));
  })
  .post("/:id/credential", async (c) => {
    const session = await requireUser(c, "manage");
    const body = await readBody(c.req.raw);
    const { credential } = parseJson(body, regeneration);
    const { runtime } = c.env;
    const presented = readPresented(credential, "credential", runtime);
    return await once(c, session, body, async () =>
      createdView(await regenerate(session, c.req.param("id"), presented, runtime), runtime),
    );
  })
  .delete("/:id", async (c) => {
    const session = await requireUser(c, "manage");
    const { runtime } = c.env;
    const purge = check(deletionQuery, c.req.query()).purge === "now";
    const present = readPresented(c.req.header("bindify-credential"), "Bindify-Credential", runtime);
    const disconnected = await disconnect(session, c.req.param("id"), { present, purge }, runtime);
    if (disconnected === null) throw new Fault("unknown_connection");
    const ended = purge
      ? await purgeConnection(session, disconnected.connection.id, present, runtime)
      : disconnected;
    return c.json({
      connection: viewConnection(ended.connection, runtime),
      revocation: ended.revocation,
      purged: purge,
    });
  });

function found(connection: Connection | null): Connection {
  if (connection === null) throw new Fault("unknown_connection");
  return connection;
}
