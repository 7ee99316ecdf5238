import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { workspaceKey } from "../../src/grants/grant-key.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { toHex } from "../../src/lib/bytes.ts";
import { newId } from "../../src/connect/mint.ts";
import { createBlobs } from "../../src/store/blobs.ts";
import { createStores } from "../../src/store/index.ts";
import { countedEnv } from "../support/counting.ts";
import { createInstance } from "../support/instance.ts";
import { createOwner } from "../support/owner.ts";
import { connectionAnswer, createPerson } from "../support/person.ts";
import { upstream } from "../support/upstream.ts";

const instance = createInstance();
const stores = createStores(env.DB, env.BLOBS);
const count = async (sql: string, ...values: string[]) =>
  await env.DB.prepare(`SELECT count(*) AS n FROM ${sql}`)
    .bind(...values)
    .first<number>("n");

const page = z.strictObject({ connections: z.array(connectionAnswer), next_cursor: z.string().nullable() });

describe("paging", () => {
  it("shows each connection once, newest first, also when others are added meanwhile", async () => {
    const person = await createPerson(instance);
    const url = upstream().url;
    const made: string[] = [];
    for (let at = 0; at < 7; at++) made.push((await person.connect({ url })).id);
    // Several of one millisecond: the id decides.
    await env.DB.prepare(
      `UPDATE connections SET created_at = 1000 WHERE id IN (${made
        .slice(0, 4)
        .map((id) => `'${id}'`)
        .join()})`,
    ).run();
    const seen: string[] = [];
    let cursor: string | null = "";
    for (let pages = 0; cursor !== null && pages < 10; pages++) {
      const query: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const answer: z.output<typeof page> = page.parse(
        await (await person.call("GET", `/api/connections?limit=2${query}`)).json(),
      );
      expect(answer.connections.length).toBeLessThanOrEqual(2);
      seen.push(...answer.connections.map(({ id }) => id));
      cursor = answer.next_cursor;
      if (pages < 2) await person.connect({ url });
    }
    expect(seen.toSorted()).toEqual(made.toSorted());
    expect(new Set(seen).size).toBe(7);
    const all = page.parse(await (await person.call("GET", "/api/connections?limit=100")).json());
    const times = all.connections.map(({ created_at }) => created_at);
    expect(times).toEqual(times.toSorted().toReversed());
    expect(all.next_cursor).toBeNull();
  });

  it("a full last page has no next one", async () => {
    const person = await createPerson(instance);
    for (let at = 0; at < 2; at++) await person.connect({ url: upstream().url });
    const answer = page.parse(await (await person.call("GET", "/api/connections?limit=2")).json());
    expect(answer.connections).toHaveLength(2);
    expect(answer.next_cursor).toBeNull();
  });

  it("a cursor shows nothing of another workspace", async () => {
    const [owner, stranger] = [await createPerson(instance), await createPerson(instance)];
    for (let at = 0; at < 3; at++) await owner.connect({ url: upstream().url });
    const { next_cursor } = page.parse(await (await owner.call("GET", "/api/connections?limit=1")).json());
    const answer = page.parse(
      await (await stranger.call("GET", `/api/connections?cursor=${next_cursor}`)).json(),
    );
    expect(answer.connections).toEqual([]);
  });
});

const provision = async (issuer: string, max?: number) =>
  await stores.users.provision(
    { issuer, subject: "same", email: null },
    { user: newId("usr", systemRandom), workspace: newId("wsp", systemRandom) },
    max,
  );

describe("first sight of a person", () => {
  it("twenty requests at once make one user and one workspace", async () => {
    const person = await createPerson(instance);
    const before = await count("workspaces");
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => await (await person.call("GET", "/api/me")).json()),
    );
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(await count("users WHERE subject = ?1", person.name)).toBe(1);
    expect(await count("workspaces")).toBe((before ?? 0) + 1);
    expect(
      await count("workspaces w WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.workspace_id = w.id)"),
    ).toBe(0);
  });

  it("the same subject of two issuers is two people", async () => {
    const [one, two] = [await provision("https://a.example"), await provision("https://b.example")];
    expect(one?.id).not.toBe(two?.id);
    expect(one?.workspace_id).not.toBe(two?.workspace_id);
    expect(await provision("https://a.example")).toEqual(one);
  });

  it("a full deployment takes nobody new, and knows who is there", async () => {
    const here = (await count("users")) ?? 0;
    const workspaces = await count("workspaces");
    expect(await provision("https://full.example", here)).toBeNull();
    expect(await provision("https://a.example", here)).not.toBeNull();
    expect(await count("workspaces")).toBe(workspaces);
    expect(await provision("https://full.example", here + 1)).not.toBeNull();
  });
});

describe("a workspace's data key", () => {
  it("is one, however many first connections race for it", async () => {
    const { keyring } = await instance.runtime();
    const { workspace } = await createOwner();
    const keys = await Promise.all(
      Array.from(
        { length: 8 },
        async () => await workspaceKey(workspace, keyring, "test", stores.dataKeys, systemRandom),
      ),
    );
    expect(new Set(keys.map((key) => toHex(key.kid))).size).toBe(1);
    expect(await count("data_keys WHERE owner = ?1", workspace)).toBe(1);
    expect(
      await count(
        "data_key_wrappings w JOIN data_keys k ON k.id = w.data_key_id WHERE k.owner = ?1",
        workspace,
      ),
    ).toBe(1);
    expect(
      await count(
        "data_key_wrappings w WHERE NOT EXISTS (SELECT 1 FROM data_keys k WHERE k.id = w.data_key_id)",
      ),
    ).toBe(0);
  });

  it("T89 is made for nobody whose account is gone", async () => {
    const { keyring } = await instance.runtime();
    const gone = newId("wsp", systemRandom);
    await expect(workspaceKey(gone, keyring, "test", stores.dataKeys, systemRandom)).rejects.toThrow();
    expect(await count("data_keys WHERE owner = ?1", gone)).toBe(0);
  });

  it("of one workspace is not another's", async () => {
    const { keyring } = await instance.runtime();
    const make = async () => {
      const { workspace } = await createOwner();
      return toHex((await workspaceKey(workspace, keyring, "test", stores.dataKeys, systemRandom)).kid);
    };
    expect(await make()).not.toBe(await make());
  });
});

describe("blobs", () => {
  it("are read from KV once, then from memory, and never from memory once deleted", async () => {
    const ledger = countedEnv();
    const blobs = createBlobs(ledger.env.BLOBS);
    const name = { connectionId: newId("con", systemRandom), generation: 1, fence: 0 };
    await blobs.put(name, "sealed");
    ledger.take();
    expect([await blobs.get(name), await blobs.get(name)]).toEqual(["sealed", "sealed"]);
    expect(ledger.take()).toBe("kv:get");
    await blobs.delete(name);
    expect(await blobs.get(name)).toBeNull();
    expect(ledger.take()).toBe("kv:delete kv:get");
  });

  it("of another generation or fence are others", async () => {
    const blobs = createBlobs(env.BLOBS);
    const name = { connectionId: newId("con", systemRandom), generation: 1, fence: 0 };
    await blobs.put(name, "first");
    await blobs.put({ ...name, generation: 2 }, "second");
    await blobs.put({ ...name, fence: 1 }, "third");
    expect(await blobs.get(name)).toBe("first");
    expect(await blobs.get({ ...name, generation: 2 })).toBe("second");
    expect(await blobs.get({ ...name, fence: 1 })).toBe("third");
  });
});

describe("the schema refuses", () => {
  it.each([
    ["an unknown status", "status = 'paused'"],
    ["an unknown storage", "storage = 'plain'"],
    [
      "a user-held row with a data key",
      "storage = 'zero_knowledge', data_key_id = (SELECT id FROM data_keys LIMIT 1)",
    ],
    ["disconnected without a time", "status = 'disconnected'"],
    ["a workspace that is not there", "workspace_id = 'wsp_none'"],
    ["text as a time", "created_at = 'now'"],
  ])("%s", async (_, change) => {
    const person = await createPerson(instance);
    const { id } = await person.connect({ url: upstream().url, storage: "managed" });
    await expect(
      env.DB.prepare(`UPDATE connections SET ${change} WHERE id = ?1`).bind(id).run(),
    ).rejects.toThrow();
  });
});
