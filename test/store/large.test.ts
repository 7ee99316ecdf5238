import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { chainHash } from "../../src/lib/audit-chain.ts";
import { createStores } from "../../src/store/index.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson, type Person } from "../support/person.ts";
import { edit } from "../support/storage.ts";

const manyEvents = 1_000_000;
const manyConnections = 10_000;

const instance = createInstance();
let person: Person;
let workspace = "";

/** Rows that D1 says it read for the statements of `work`. */
async function rowsRead(
  work: (stores: ReturnType<typeof createStores>) => Promise<unknown>,
): Promise<number> {
  let read = 0;
  const counted = new Proxy(env.DB, {
    get(target, name) {
      if (name !== "prepare") throw new Error(`${String(name)} is not counted`);
      return (sql: string) => ({
        bind: (...values: unknown[]) => ({
          all: async () => {
            const answer = await target
              .prepare(sql)
              .bind(...values)
              .all();
            read += answer.meta.rows_read;
            return answer;
          },
        }),
      });
    },
  });
  await work(createStores(counted, env.BLOBS));
  return read;
}

const numbers = (count: number) =>
  `WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i <= ${count})`;

beforeAll(async () => {
  person = await createPerson(instance);
  const me = z.object({ workspace_id: z.string() });
  workspace = me.parse(await (await person.call("GET", "/api/me")).json()).workspace_id;
  await edit(
    instance.env,
    `INSERT INTO connections (id, workspace_id, service, label, kind, storage, upstream_url, status, lookup, verifier, created_at)
     ${numbers(manyConnections)}
     SELECT printf('con_%032x', i), ?1, 'custom', 'x', 'key', 'zero_knowledge', 'https://a.example', 'active', 'l' || i, 'v', i
     FROM n`,
    workspace,
  );
  await edit(
    instance.env,
    `INSERT INTO audit_events (workspace_id, seq, at, type, actor, connection_id, service, detail, keep_until, hash)
     ${numbers(manyEvents)}
     SELECT ?1, i, i * 1000, CASE i % 1000 WHEN 0 THEN 'token_created' ELSE 'refresh_succeeded' END, 'system',
       printf('con_%032x', i % ${manyConnections}), 'custom', '{}', 9999999999999, 'x' FROM n`,
    workspace,
  );
});

const eventsPage = z.object({
  events: z.array(z.object({ seq: z.number() })),
  next_cursor: z.string().nullable(),
});
const connectionsPage = z.object({
  connections: z.array(z.object({ id: z.string() })),
  next_cursor: z.string().nullable(),
});

const readEvents = async (cursor: string | null) =>
  eventsPage.parse(
    await (
      await person.call("GET", `/api/events?limit=100${cursor === null ? "" : `&cursor=${cursor}`}`)
    ).json(),
  );

describe("10,000 connections and many audit rows in one workspace", () => {
  it("a page reads about as many rows as it shows, wherever it is", async () => {
    const all = { type: null, connection: null, from: 0, to: Number.MAX_SAFE_INTEGER };
    const deep = { at: 50_000_000, seq: 50_000 };
    const connection = `con_${(77).toString(16).padStart(32, "0")}`;
    for (const [filter, cursor] of [
      [all, null],
      [all, deep],
      [{ ...all, type: "token_created" }, null],
      [{ ...all, type: "token_created" }, deep],
      [{ ...all, connection }, null],
      [{ ...all, connection, type: "token_created" }, null],
      [{ ...all, from: 20_000_000, to: 30_000_000 }, null],
      [{ ...all, type: "token_created", from: 20_000_000, to: 30_000_000 }, null],
    ] as const) {
      const read = await rowsRead(
        async ({ auditRead }) => await auditRead.list(workspace, filter, cursor, 50),
      );
      expect(read, JSON.stringify([filter, cursor])).toBeLessThan(150);
    }
    for (const cursor of [null, { createdAt: 5000, id: "con_x" }]) {
      const read = await rowsRead(async ({ connections }) => await connections.list(workspace, 50, cursor));
      expect(read).toBeLessThan(150);
    }
  });

  it("pages stay as they are while events and connections are added", async () => {
    const seen: number[] = [];
    let cursor: string | null = null;
    for (let page = 0; page < 5; page++) {
      const next = await readEvents(cursor);
      seen.push(...next.events.map(({ seq }) => seq));
      cursor = next.next_cursor;
      await person.call("POST", "/api/tokens", { name: "x", scope: "read" });
    }
    expect(new Set(seen).size).toBe(500);
    const ordered = seen.filter((seq) => seq <= manyEvents + 1 && seq > 1);
    expect(ordered).toEqual(ordered.toSorted((a, b) => b - a));
    expect((ordered.at(0) ?? 0) - (ordered.at(-1) ?? 0) + 1).toBe(ordered.length);
  });

  it("every connection is listed once", async () => {
    const seen = new Set<string>();
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? "" : `&cursor=${cursor}`;
      const page = connectionsPage.parse(
        await (await person.call("GET", `/api/connections?limit=100${query}`)).json(),
      );
      for (const { id } of page.connections) seen.add(id);
      cursor = page.next_cursor;
    } while (cursor !== null);
    expect(seen.size).toBe(manyConnections);
  });

  it("an export comes in parts of 20,000 events, one page in memory at a time", async () => {
    const answer = await person.call("GET", "/api/events/export?after=1");
    const lines = (await answer.text()).trimEnd().split("\n");
    expect(lines).toHaveLength(20_002);
    expect(JSON.parse(lines.at(-1) ?? "")).toEqual({ kind: "footer", events: 20_000, next_after: 20_001 });
  });
});

describe("verifying a long chain", () => {
  it("T88 goes on from where it stopped, and finds what changed in between", async () => {
    const owner = await createPerson(instance);
    const me = z.object({ workspace_id: z.string() });
    const id = me.parse(await (await owner.call("GET", "/api/me")).json()).workspace_id;
    const first = await env.DB.prepare("SELECT hash FROM audit_events WHERE workspace_id = ?1")
      .bind(id)
      .first<string>("hash");
    let hash = first ?? "";
    const rows: { seq: number; hash: string }[] = [];
    const plain = { at: 5, type: "login", actor: "owner", connection_id: null, service: null, detail: "{}" };
    for (let seq = 2; seq <= 20_100; seq++) {
      hash = await chainHash(hash, { ...plain, workspace_id: id, seq });
      rows.push({ seq, hash });
    }
    for (let at = 0; at < rows.length; at += 5000) {
      await edit(
        instance.env,
        `INSERT INTO audit_events (workspace_id, seq, at, type, actor, detail, keep_until, hash)
         SELECT ?1, value ->> 'seq', 5, 'login', 'owner', '{}', 9999999999999, value ->> 'hash' FROM json_each(?2)`,
        id,
        JSON.stringify(rows.slice(at, at + 5000)),
      );
    }
    const verified = z.object({ ok: z.boolean(), checked: z.number(), next_cursor: z.string().nullable() });
    const ask = async (query: string) =>
      verified.parse(await (await owner.call("GET", `/api/events/verify${query}`)).json());
    const part = await ask("");
    expect(part).toMatchObject({ ok: true, checked: 20_000 });
    expect(part.next_cursor).toMatch(/^20000\./);
    expect(await ask(`?cursor=${part.next_cursor}`)).toEqual(
      expect.objectContaining({ ok: true, checked: 100, next_cursor: null }),
    );
    expect(await ask(`?cursor=20000.${"A".repeat(43)}`)).toMatchObject({ ok: false });
  });
});
