import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { chainHash } from "../../src/lib/audit-chain.ts";
import { problemOf } from "../support/answers.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson, type Person } from "../support/person.ts";
import { edit } from "../support/storage.ts";
import { upstream } from "../support/upstream.ts";

const instance = createInstance();
const event = z.looseObject({
  seq: z.number(),
  type: z.string(),
  actor: z.string(),
  at: z.string(),
  connection_id: z.string().nullable(),
});
const page = z.object({ events: z.array(event), next_cursor: z.string().nullable() });
const verified = z.object({
  ok: z.boolean(),
  checked: z.number(),
  first_broken: z.number().optional(),
  expect: z.string().optional(),
  head: z.object({ seq: z.number(), hash: z.string() }),
  next_cursor: z.string().nullable(),
});

const read = async (person: Person, query = "") =>
  page.parse(await (await person.call("GET", `/api/events${query}`)).json());
const verify = async (person: Person, query = "") =>
  verified.parse(await (await person.call("GET", `/api/events/verify${query}`)).json());
const workspaceOf = async (person: Person) =>
  z.object({ workspace_id: z.string() }).parse(await (await person.call("GET", "/api/me")).json())
    .workspace_id;

/** What somebody with the database can do: the triggers go first. */
async function tamper(sql: string, ...values: (string | number)[]): Promise<void> {
  const triggers = ["audit_events_are_not_changed", "audit_events_stay"];
  const kept = await instance.env.DB.prepare(
    "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'",
  ).all<{
    name: string;
    sql: string;
  }>();
  for (const name of triggers) await instance.env.DB.prepare(`DROP TRIGGER ${name}`).run();
  await edit(instance.env, sql, ...values);
  for (const one of kept.results.filter(({ name }) => triggers.includes(name))) {
    await instance.env.DB.prepare(one.sql).run();
  }
}

describe("the audit log", () => {
  let person: Person;
  let connection: string;

  beforeAll(async () => {
    person = await createPerson(instance);
    const service = upstream();
    ({ id: connection } = await person.connect({ url: service.url, storage: "managed" }));
    await person.call("PATCH", `/api/connections/${connection}`, { label: "Another" });
    await person.call("POST", `/api/connections/${connection}/credential`, {});
    await person.call("POST", "/api/connections", {
      service: "custom",
      url: service.url,
      fields: { api_key: "bad" },
    });
    await person.call("DELETE", `/api/connections/${connection}`);
    await person.call("POST", "/api/connections", {
      service: "custom",
      url: service.url,
      fields: { api_key: "good-key" },
      reauthorize: connection,
    });
  });

  it("tells what a person did, newest first, and nothing of what they typed", async () => {
    const { events } = await read(person);
    expect(events.map(({ type }) => type).toSorted()).toEqual(
      [
        "login",
        "connection_created",
        "connection_renamed",
        "connection_regenerated",
        "connection_disconnected",
        "connection_restored",
        "configuration_changed",
        "key_validation_failed",
      ].toSorted(),
    );
    const times = events.map(({ at }) => at);
    expect(times).toEqual(times.toSorted().toReversed());
    expect(JSON.stringify(events)).not.toMatch(/Another|good-key|127\.0\.0\.1/);
  });

  it("tells which settings a re-authorisation changed, by name and never by address", async () => {
    const [own, before, after] = [await createPerson(instance), upstream(), upstream()];
    const { id } = await own.connect({ url: before.url, storage: "managed" });
    const again = async (url: string, storage: string): Promise<unknown[]> => {
      const answer = await own.call("POST", "/api/connections", {
        service: "custom",
        url,
        fields: { api_key: "good-key" },
        storage,
        reauthorize: id,
      });
      expect(answer.status).toBe(201);
      const { events } = await read(own, `?type=configuration_changed&connection=${id}`);
      return events.map(({ detail }) => detail);
    };
    expect(await again(before.url, "managed")).toEqual([]);
    const storage = { setting: "storage", from: "managed", to: "zero_knowledge" };
    expect(await again(before.url, "zero_knowledge")).toEqual([storage]);
    const [address, back] = [
      { setting: "server_address" },
      { setting: "storage", from: "zero_knowledge", to: "managed" },
    ];
    expect(await again(after.url, "managed")).toEqual([address, back, storage]);
    expect(await verify(own)).toMatchObject({ ok: true });
    // In the batch of what changed them, hence next to it in the chain.
    const { events } = await read(own, `?connection=${id}`);
    expect(events.map(({ type }) => type).slice(0, 3)).toEqual([
      "configuration_changed",
      "configuration_changed",
      "connection_reauthorized",
    ]);
  });

  it("shows one sign-in once, however many requests and isolates it has", async () => {
    for (let at = 0; at < 3; at++) await person.call("GET", "/api/me");
    await createInstance().fetch("/api/me", { headers: { authorization: `Bearer ${person.token}` } });
    expect((await read(person, "?type=login")).events).toHaveLength(1);
  });

  it("filters by type, connection and time, and pages without repeating", async () => {
    const all = (await read(person)).events;
    const ofConnection = (await read(person, `?connection=${connection}`)).events;
    expect(ofConnection.length).toBeGreaterThan(3);
    expect(ofConnection.every((one) => one.connection_id === connection)).toBe(true);
    expect((await read(person, `?connection=${connection}&type=connection_renamed`)).events).toHaveLength(1);
    const now = new Date().toISOString();
    expect((await read(person, `?from=${new Date(Date.now() + 5000).toISOString()}`)).events).toEqual([]);
    expect((await read(person, `?to=${now}`)).events.length).toBe(all.length);
    const seen: number[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const next: z.output<typeof page> = await read(
        person,
        `?limit=2${cursor === "" ? "" : `&cursor=${cursor}`}`,
      );
      seen.push(...next.events.map(({ seq }) => seq));
      cursor = next.next_cursor;
    }
    expect(seen).toEqual(all.map(({ seq }) => seq));
    for (const query of ["?limit=0", "?limit=201", "?cursor=x", "?from=yesterday", "?what=1"]) {
      await problemOf(await person.call("GET", `/api/events${query}`), "invalid_request");
    }
  });

  it("T88 is verified, and its export can be checked with the rule in its first line", async () => {
    const { head, ...answer } = await verify(person);
    expect(answer).toMatchObject({ ok: true, checked: head.seq, next_cursor: null });
    const answered = await person.call("GET", "/api/events/export");
    expect(answered.headers.get("content-type")).toBe("application/x-ndjson");
    const lines = (await answered.text())
      .trimEnd()
      .split("\n")
      .map((text): unknown => JSON.parse(text));
    const [header, ...rest] = lines;
    expect(header).toMatchObject({ kind: "header", head, checkpoint: { seq: 0, hash: "" } });
    expect(rest.at(-1)).toEqual({ kind: "footer", events: head.seq, next_after: null });
    const row = z.object({
      seq: z.number(),
      at: z.number(),
      type: z.string(),
      actor: z.string(),
      connection_id: z.string().nullable(),
      service: z.string().nullable(),
      detail: z.string(),
      hash: z.string(),
    });
    let before = "";
    const workspace = await workspaceOf(person);
    for (const line of rest.slice(0, -1)) {
      const { hash, ...one } = row.parse(line);
      expect(await chainHash(before, { ...one, workspace_id: workspace })).toBe(hash);
      before = hash;
    }
    expect(before).toBe(head.hash);
  });

  it.each([
    ["altered", "UPDATE audit_events SET type = 'login' WHERE workspace_id = ?1 AND seq = 3"],
    ["altered in its actor", "UPDATE audit_events SET actor = 'system' WHERE workspace_id = ?1 AND seq = 3"],
    ["deleted", "DELETE FROM audit_events WHERE workspace_id = ?1 AND seq = 3"],
    [
      "put back with its own hash",
      "UPDATE audit_events SET hash = 'AAAA' WHERE workspace_id = ?1 AND seq = 3",
    ],
  ])("T88 an event that was %s is named", async (_, sql) => {
    const victim = await createPerson(instance);
    for (let at = 0; at < 3; at++) await victim.connect({ url: upstream().url });
    const { head } = await verify(victim);
    await tamper(sql, await workspaceOf(victim));
    expect(await verify(victim)).toMatchObject({ ok: false, first_broken: 3, head });
  });

  it("T88 an end that was cut off or rewritten shows against a head that was kept", async () => {
    const victim = await createPerson(instance);
    for (let at = 0; at < 2; at++) await victim.connect({ url: upstream().url });
    const { head } = await verify(victim);
    expect(await verify(victim, `?expect=${head.seq}.${head.hash}`)).toMatchObject({ ok: true });
    await tamper(
      "DELETE FROM audit_events WHERE workspace_id = ?1 AND seq = ?2",
      await workspaceOf(victim),
      head.seq,
    );
    expect(await verify(victim)).toMatchObject({ ok: true });
    expect(await verify(victim, `?expect=${head.seq}.${head.hash}`)).toMatchObject({
      ok: false,
      first_broken: head.seq,
    });
  });

  it("T88 the first events may be gone behind a checkpoint, and not without one", async () => {
    const victim = await createPerson(instance);
    for (let at = 0; at < 3; at++) await victim.connect({ url: upstream().url });
    const workspace = await workspaceOf(victim);
    await edit(
      instance.env,
      `INSERT INTO audit_checkpoints (workspace_id, seq, hash, at)
       SELECT workspace_id, seq, hash, 1 FROM audit_events WHERE workspace_id = ?1 AND seq = 2`,
      workspace,
    );
    await tamper("DELETE FROM audit_events WHERE workspace_id = ?1 AND seq <= 2", workspace);
    expect(await verify(victim)).toMatchObject({ ok: true, checked: 2 });
    await edit(instance.env, "DELETE FROM audit_checkpoints WHERE workspace_id = ?1", workspace);
    expect(await verify(victim)).toMatchObject({ ok: false, first_broken: 1 });
  });

  it("T88 a head that lies behind the checkpoint is said not to be compared, one at it is compared", async () => {
    const victim = await createPerson(instance);
    for (let at = 0; at < 3; at++) await victim.connect({ url: upstream().url });
    const workspace = await workspaceOf(victim);
    const hashes = await instance.env.DB.prepare(
      "SELECT seq, hash FROM audit_events WHERE workspace_id = ?1 ORDER BY seq",
    )
      .bind(workspace)
      .all<{ seq: number; hash: string }>();
    const [first, second] = hashes.results.map(({ seq, hash }) => `${seq}.${hash}`);
    await edit(
      instance.env,
      `INSERT INTO audit_checkpoints (workspace_id, seq, hash, at)
       SELECT workspace_id, seq, hash, 1 FROM audit_events WHERE workspace_id = ?1 AND seq = 2`,
      workspace,
    );
    await tamper("DELETE FROM audit_events WHERE workspace_id = ?1 AND seq <= 2", workspace);
    expect(await verify(victim, `?expect=${first}`)).toMatchObject({ ok: true, expect: "behind_checkpoint" });
    expect(await verify(victim, `?expect=${second}`)).toMatchObject({ ok: true, expect: "matched" });
    expect(await verify(victim, "?expect=2.AAAA")).toMatchObject({ ok: false, first_broken: 2 });
  });

  it("T88 an end that was cut off between two parts of a check is named", async () => {
    const victim = await createPerson(instance);
    for (let at = 0; at < 2; at++) await victim.connect({ url: upstream().url });
    const { head } = await verify(victim);
    expect(await verify(victim, `?cursor=${head.seq}.${head.hash}`)).toMatchObject({ ok: true, checked: 0 });
    expect(await verify(victim, `?cursor=${head.seq}.AAAA`)).toMatchObject({
      ok: false,
      first_broken: head.seq,
    });
    const cut = "DELETE FROM audit_events WHERE workspace_id = ?1 AND seq = ?2";
    await tamper(cut, await workspaceOf(victim), head.seq);
    expect(await verify(victim, `?cursor=${head.seq}.${head.hash}`)).toMatchObject({
      ok: false,
      first_broken: head.seq,
    });
  });

  it("T88 events that go, with their right, between two pages leave no gap", async () => {
    const victim = await createPerson(instance);
    const workspace = await workspaceOf(victim);
    await edit(
      instance.env,
      `INSERT INTO audit_queue (workspace_id, at, type, actor, detail)
       WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
       SELECT ?1, 1, 'login', 'owner', '{}' FROM n`,
      workspace,
    );
    const { stores } = await instance.runtime();
    while ((await stores.audit.chain(workspace, 200)) > 0);
    const check = async (path: string) => {
      let pages = 0;
      const pruning = createInstance({}, (runtime) => {
        const { auditRead } = runtime.stores;
        const follow: typeof auditRead.follow = async (...wanted) => {
          pages += 1;
          if (pages === 2) {
            await edit(
              instance.env,
              `INSERT INTO audit_checkpoints (workspace_id, seq, hash, at)
               SELECT workspace_id, seq, hash, 1 FROM audit_events WHERE workspace_id = ?1 AND seq = 1200`,
              workspace,
            );
            await tamper("DELETE FROM audit_events WHERE workspace_id = ?1 AND seq <= 1200", workspace);
          }
          return await auditRead.follow(...wanted);
        };
        return { ...runtime, stores: { ...runtime.stores, auditRead: { ...auditRead, follow } } };
      });
      const headers = { authorization: `Bearer ${victim.token}` };
      return await (await pruning.fetch(path, { headers })).text();
    };
    const kept = "SELECT * FROM audit_events WHERE workspace_id = ?1 AND seq <= 1200";
    const { results } = await instance.env.DB.prepare(kept).bind(workspace).all();
    expect(JSON.parse(await check("/api/events/verify"))).toMatchObject({ ok: true, next_cursor: null });
    await edit(instance.env, "DELETE FROM audit_checkpoints WHERE workspace_id = ?1", workspace);
    await edit(
      instance.env,
      `INSERT INTO audit_events SELECT value ->> 'workspace_id', value ->> 'seq', value ->> 'at', value ->> 'type',
         value ->> 'actor', value ->> 'connection_id', value ->> 'service', value ->> 'detail',
         value ->> 'keep_until', value ->> 'hash' FROM json_each(?1)`,
      JSON.stringify(results),
    );
    const lines = (await check("/api/events/export")).split("\n");
    expect(lines.filter((text) => text.includes('"kind":"checkpoint"'))).toEqual([
      expect.stringContaining('"seq":1200'),
    ]);
  });

  it("T82 is its workspace's alone", async () => {
    const stranger = await createPerson(instance);
    const { events } = await read(stranger, `?connection=${connection}`);
    expect(events).toEqual([]);
    const exported = await (await stranger.call("GET", "/api/events/export")).text();
    expect(exported).not.toContain(connection);
  });

  it("T88 an operation whose event cannot be written does not happen", async () => {
    const victim = await createPerson(instance);
    const { id, secretPath } = await victim.connect({ url: upstream().url });
    await edit(
      instance.env,
      "CREATE TRIGGER no_events BEFORE INSERT ON audit_events BEGIN SELECT RAISE(ABORT, 'full'); END",
    );
    const answer = await victim.call("DELETE", `/api/connections/${id}`);
    const created = await victim.call("POST", "/api/connections", {
      service: "custom",
      url: upstream().url,
      fields: { api_key: "good-key" },
    });
    await edit(instance.env, "DROP TRIGGER no_events");
    await problemOf(answer, "storage_unavailable");
    await problemOf(created, "storage_unavailable");
    expect((await instance.fetch(secretPath, { method: "DELETE" })).status).toBe(200);
    expect((await read(victim)).events.map(({ type }) => type)).toEqual(["connection_created", "login"]);
  });
});
