import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { renewConnection } from "../../src/connect/renew.ts";
import { purgeConnections, purgeSuperseded } from "../../src/jobs/purge.ts";
import type { LogEvent } from "../../src/lib/log.ts";
import type { Purged } from "../../src/store/purge.ts";
import { problemOf } from "../support/answers.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson } from "../support/person.ts";
import { daysAgo } from "../support/owner.ts";
import { faultyStores } from "../support/refresh/faulty.ts";
import { createWorld, stores, type World } from "../support/refresh/world.ts";
import { dump, edit } from "../support/storage.ts";
import { upstream } from "../support/upstream.ts";

const hourly = "17 * * * *";
const events: LogEvent[] = [];
const byOwner = { actor: "owner", service: "custom" } as const;
const deps = { stores, backgroundBudget: 20, log: (event: LogEvent) => void events.push(event) };

beforeEach(async () => {
  events.length = 0;
  await edit(env, "DELETE FROM superseded_blobs");
  await edit(env, "DELETE FROM connections");
  await edit(env, "DELETE FROM audit_queue");
});

/** A connection with blobs of several generations, a journal and a mail, that was disconnected so many days ago. */
async function disconnectedWorld(days: number): Promise<World> {
  const world = await createWorld();
  for (let renewals = 0; renewals < 1; renewals += 1) {
    const actor = world.actor();
    await actor.refresh();
    await actor.settle();
    await world.age(4_000_000);
  }
  const facts = { access_expires_at: 1, refreshable: true, scope: null, due_at: null };
  await stores.blobs.putJournal({ connectionId: world.id, generation: 9, fence: 9 }, { blob: "AA", facts });
  // A name that KV lists, and one that only the database knows.
  await stores.blobs.put({ connectionId: world.id, generation: 8, fence: 8 }, "AA");
  await edit(env, "INSERT INTO superseded_blobs VALUES (?1, 9e15)", `t/${world.id}/7/7`);
  await stores.mail.enqueue({
    occasion: world.id,
    kind: "reauth_needed",
    userId: null,
    connectionId: world.id,
  });
  await stores.connections.disconnect(
    world.user.workspace_id,
    world.id,
    "awaiting_credential",
    true,
    byOwner,
  );
  await disconnectedDaysAgo(world.id, days);
  return world;
}

const disconnectedDaysAgo = async (id: string, days: number): Promise<void> =>
  await edit(env, `UPDATE connections SET disconnected_at = ${daysAgo(days)} WHERE id = ?1`, id);

/** Where the connection is still named at rest, the audit log apart. */
async function traces(id: string): Promise<readonly string[]> {
  const { tables, kv } = await dump(env);
  const rows = Object.entries(tables)
    .filter(([name, all]) => !name.startsWith("audit_") && JSON.stringify(all).includes(id))
    .map(([name]) => name);
  return [...rows, ...Object.keys(kv).filter((key) => key.includes(id))];
}

async function auditOf(id: string): Promise<readonly unknown[]> {
  const { results } = await env.DB.prepare(
    "SELECT type, actor, service FROM audit_queue WHERE connection_id = ?1 AND type = 'connection_purged'",
  )
    .bind(id)
    .all();
  return results;
}

async function reconnect(world: World, grant: Awaited<ReturnType<World["present"]>>["grant"]) {
  const { refresh_token, access_token } = world.provider.first();
  const next = {
    grant: { ...grant, secret: access_token, refresh_token },
    storage: "zero_knowledge",
    present: undefined,
  } as const;
  return await renewConnection(world.user, world.id, next, world.actor().deps);
}

describe("purging disconnected connections", () => {
  it("T87 killed before any of its steps, a rerun leaves nothing in D1 and KV", async () => {
    for (let step = 1, done = false; !done; step += 1) {
      const world = await disconnectedWorld(31);
      expect((await traces(world.id)).length).toBeGreaterThan(5);
      let calls = 0;
      const faulty = faultyStores(stores, {}, async () => {
        calls += 1;
        if (calls === step) faulty.kill();
      });
      const run = purgeConnections({ ...deps, stores: faulty.stores });
      done = (await Promise.race([run, faulty.killed])) !== "killed";
      if (!done) {
        const finished = faulty.executed.some(({ call }) => call === "purge.finish");
        expect(await auditOf(world.id)).toHaveLength(finished ? 1 : 0);
        expect(await purgeConnections(deps)).toBe(finished ? 0 : 1);
      }
      expect(await traces(world.id), `killed at ${step}`).toEqual([]);
      expect(await auditOf(world.id)).toEqual([
        { type: "connection_purged", actor: "system", service: "custom" },
      ]);
      if (done) expect(step).toBeGreaterThan(9);
    }
    expect(events).toEqual([]);
  });

  it("T87 a storage that fails at any step keeps no other connection, and the next run finishes", async () => {
    for (const call of [
      "purge.begin",
      "purge.supersededOf",
      "blobs.keysOf",
      "blobs.deleteKey",
      "purge.finish",
    ]) {
      events.length = 0;
      const [first, second] = [await disconnectedWorld(40), await disconnectedWorld(31)];
      const faulty = faultyStores(stores, { [call]: ["before"] });
      expect(await purgeConnections({ ...deps, stores: faulty.stores }), call).toBe(1);
      expect(await traces(second.id)).toEqual([]);
      expect(events).toEqual([{ event: "purge_failed", connection: first.id, error: "D1" }]);
      expect(await purgeConnections(deps)).toBe(1);
      expect(await traces(first.id)).toEqual([]);
    }
  });

  it("T87 those whose deletion always fails keep no others, however small the budget", async () => {
    const stuck = [await disconnectedWorld(50), await disconnectedWorld(45)];
    const others = [await disconnectedWorld(40), await disconnectedWorld(31)];
    const fails = async (connection: Purged): Promise<void> => {
      if (stuck.some(({ id }) => id === connection.id)) throw new Error("D1_ERROR: the test wants it so");
      await stores.purge.finish(connection);
    };
    const broken = { ...stores, purge: { ...stores.purge, finish: fails } };
    let purged = 0;
    for (let run = 0; run < 6; run += 1) {
      purged += await purgeConnections({ ...deps, stores: broken, backgroundBudget: 1 });
    }
    expect(purged).toBe(2);
    for (const { id } of others) expect(await traces(id)).toEqual([]);
    expect(await purgeConnections(deps), "tried again, and again").toBe(2);
  });

  it("T87 on day 29 a sign-in takes it back with its id, label and history; on day 31 it is gone", async () => {
    const world = await createWorld();
    const { grant } = await world.present();
    const before = await stores.connections.get(world.user.workspace_id, world.id);
    await stores.connections.disconnect(
      world.user.workspace_id,
      world.id,
      "awaiting_credential",
      true,
      byOwner,
    );
    await disconnectedDaysAgo(world.id, 29);
    expect(await purgeConnections(deps)).toBe(0);
    const { connection, credential } = await reconnect(world, grant);
    expect(connection).toMatchObject({
      status: "active",
      label: before?.label,
      created_at: before?.created_at,
    });
    if (credential === null) throw new Error("no new credential");
    expect((await world.present(credential)).grant.kind).toBe("oauth");
    expect(await purgeConnections(deps), "it came back").toBe(0);

    await stores.connections.disconnect(
      world.user.workspace_id,
      world.id,
      "awaiting_credential",
      true,
      byOwner,
    );
    await disconnectedDaysAgo(world.id, 31);
    expect(await purgeConnections(deps)).toBe(1);
    await expect(reconnect(world, grant)).rejects.toMatchObject({ code: "unknown_connection" });
    expect(await traces(world.id)).toEqual([]);
  });

  it("T87 a sign-in that races the purge either comes first, or finds nothing", async () => {
    const early = await disconnectedWorld(31);
    const { grant } = await early.present();
    await reconnect(early, grant);
    expect(await stores.purge.begin(early.id)).toBeNull();

    const late = await disconnectedWorld(31);
    const lease = await stores.grants.takeOver(late.id, 60_000);
    const { lookup, verifier } = await late.row();
    if (lease === null) throw new Error("no lease");
    expect(await stores.purge.begin(late.id)).toMatchObject({ id: late.id });
    const next = {
      blob: "x",
      lookup,
      verifier,
      storage: "zero_knowledge",
      data_key_id: null,
      kind: "oauth",
      upstream_url: "https://a.example",
      issuer: null,
      facts: { access_expires_at: 1, refreshable: true, scope: null, due_at: null },
    } as const;
    expect(
      await stores.grants.replace(lease, next, true, {
        workspaceId: late.user.workspace_id,
        entry: { type: "connection_restored", actor: "owner" },
      }),
    ).toBeNull();
    expect(await stores.grants.takeOver(late.id, 60_000)).toBeNull();
    await expect(reconnect(late, grant)).rejects.toMatchObject({ code: "unknown_connection" });
  });

  it("the hourly trigger does it, and the API then knows no such connection", async () => {
    const instance = createInstance();
    const person = await createPerson(instance);
    const { id } = await person.connect({ url: upstream().url });
    await person.call("DELETE", `/api/connections/${id}`);
    await instance.cron(hourly);
    expect((await person.call("GET", `/api/connections/${id}`)).status).toBe(200);
    await disconnectedDaysAgo(id, 31);
    await instance.cron(hourly);
    await problemOf(await person.call("GET", `/api/connections/${id}`), "unknown_connection");
    expect(await traces(id)).toEqual([]);
  });
});

const makeDue = async () => await edit(env, "UPDATE superseded_blobs SET delete_after = 1");

/** Before a list of names is forgotten, somebody moves the time of one. */
async function delayOne(call: string): Promise<void> {
  if (call !== "purge.forgetSuperseded") return;
  await edit(env, "UPDATE superseded_blobs SET delete_after = 2 WHERE name = 't/con_x/1/0'");
}

describe("purging replaced blobs", () => {
  it("an hour after, and not before; the current one stays, whatever the list says", async () => {
    const world = await createWorld();
    await world.actor().refresh();
    expect(await purgeSuperseded(deps)).toBe(0);
    const { gen, blob_fence: fence } = await world.row();
    const current = `${gen}/${fence}`;
    await stores.blobs.put({ connectionId: world.id, generation: gen, fence }, "AA");
    await edit(env, "INSERT INTO superseded_blobs VALUES (?1, 1)", `t/${world.id}/${current}`);
    await makeDue();
    expect(await purgeSuperseded(deps)).toBe(2);
    expect(await world.keys("t")).toEqual([current]);
    expect((await dump(env)).tables["superseded_blobs"]).toEqual([]);
  });

  it("killed after deleting in KV, the row is found again", async () => {
    const world = await createWorld();
    await world.actor().refresh();
    await makeDue();
    const faulty = faultyStores(stores, { "purge.forgetSuperseded": ["killed before"] });
    await Promise.race([purgeSuperseded({ ...deps, stores: faulty.stores }), faulty.killed]);
    expect(await world.keys("t")).not.toContain("1/0");
    expect(await purgeSuperseded(deps)).toBe(1);
    expect((await dump(env)).tables["superseded_blobs"]).toEqual([]);
  });

  it("a name whose time was moved meanwhile stays on the list until then", async () => {
    await edit(env, "INSERT INTO superseded_blobs VALUES ('t/con_x/1/0', 1), ('t/con_x/2/0', 1)");
    await purgeSuperseded({ ...deps, stores: faultyStores(stores, {}, delayOne).stores });
    expect((await dump(env)).tables["superseded_blobs"]).toMatchObject([
      { name: "t/con_x/1/0", delete_after: 2 },
    ]);
    expect(await purgeSuperseded(deps)).toBe(1);
  });

  it("takes as many as there are, in groups", async () => {
    for (let at = 0; at < 65; at += 1) {
      await env.BLOBS.put(`t/con_x/${at}/0`, "AA");
      await edit(env, "INSERT INTO superseded_blobs VALUES (?1, 1)", `t/con_x/${at}/0`);
    }
    expect(await purgeSuperseded(deps)).toBe(65);
    expect((await env.BLOBS.list({ prefix: "t/con_x/" })).keys).toEqual([]);
  });
});
