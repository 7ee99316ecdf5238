import { beforeEach, describe, expect, it } from "vitest";
import { copyBlobs } from "../../src/jobs/copy-blobs.ts";
import type { BlobName } from "../../src/store/blobs.ts";
import { createStores } from "../../src/store/index.ts";
import { rpcCall } from "../support/answers.ts";
import { countedEnv } from "../support/counting.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson, type Connected, type Person } from "../support/person.ts";
import { dump, edit } from "../support/storage.ts";
import { upstream } from "../support/upstream.ts";

const ledger = countedEnv();
const instance = createInstance(ledger.env);
const { env } = instance;
const stores = createStores(env.DB, env.BLOBS);
const backgroundBudget = 3;
const everyMinute = "* * * * *";
let person: Person;
let connected: Connected;
let key: string;

beforeEach(async () => {
  await edit(env, "DELETE FROM connections");
  person = await createPerson(instance);
  connected = await person.connect({ url: upstream().url });
  key = `t/${connected.id}/1/0`;
  // As after a crash between the commit and the copy.
  await env.BLOBS.delete(key);
});

async function row(): Promise<{ blob: string | null; blob_copied_at: number | null }> {
  const found = await env.DB.prepare("SELECT blob, blob_copied_at FROM connections WHERE id = ?1")
    .bind(connected.id)
    .first<{ blob: string | null; blob_copied_at: number | null }>();
  if (found === null) throw new Error("no row");
  return found;
}

/** As if the copy had been written so long ago. */
const age = async (ms: number) =>
  await edit(
    env,
    "UPDATE connections SET blob_copied_at = blob_copied_at - ?2 WHERE id = ?1",
    connected.id,
    ms,
  );

describe("copying sealed blobs", () => {
  it("the first run writes KV, a later one takes the blob out of the row", async () => {
    const { blob } = await row();
    await instance.cron(everyMinute);
    expect(await env.BLOBS.get(key)).toBe(blob);
    expect((await row()).blob, "readers far away may not see it yet").toBe(blob);
    await instance.cron(everyMinute);
    expect((await row()).blob).toBe(blob);
    await age(120_000);
    await instance.cron(everyMinute);
    expect((await row()).blob).toBeNull();
    expect(await env.BLOBS.get(key)).toBe(blob);
    expect((await instance.fetch(connected.secretPath, rpcCall())).status).toBe(200);
  });

  it("KV that fails keeps the blob in the row, unmarked", async () => {
    const failing = {
      ...stores,
      blobs: { ...stores.blobs, put: async () => await Promise.reject(new Error("KV PUT failed")) },
    };
    await expect(copyBlobs({ stores: failing, backgroundBudget })).rejects.toThrow("KV");
    expect(await row()).toMatchObject({ blob_copied_at: null });
    expect((await row()).blob).not.toBeNull();
    expect(await copyBlobs({ stores, backgroundBudget })).toBe(1);
    expect(await env.BLOBS.get(key)).toBe((await row()).blob);
  });

  it("KV that fails for one blob leaves the others marked, and the job says so", async () => {
    const other = await person.connect({ url: upstream().url });
    const failing = {
      ...stores,
      blobs: {
        ...stores.blobs,
        put: async (name: BlobName, blob: string) => {
          if (name.connectionId === connected.id) throw new Error("KV PUT failed");
          await stores.blobs.put(name, blob);
        },
      },
    };
    await expect(copyBlobs({ stores: failing, backgroundBudget })).rejects.toThrow("KV");
    expect(await row()).toMatchObject({ blob_copied_at: null });
    expect((await stores.connections.blobsToCopy(10)).map(({ id }) => id)).toEqual([connected.id]);
    expect(await env.BLOBS.get(`t/${other.id}/1/0`)).not.toBeNull();
  });

  it("killed between the copy and the mark, it is done again", async () => {
    const killed = {
      ...stores,
      connections: {
        ...stores.connections,
        markBlobsCopied: async () => await Promise.reject(new Error("killed")),
      },
    };
    await expect(copyBlobs({ stores: killed, backgroundBudget })).rejects.toThrow("killed");
    expect(await env.BLOBS.get(key)).not.toBeNull();
    expect((await row()).blob_copied_at).toBeNull();
    await copyBlobs({ stores, backgroundBudget });
    expect((await row()).blob_copied_at).not.toBeNull();
  });

  it("a newer generation that came meanwhile is neither marked nor cleared", async () => {
    const [due] = await stores.connections.blobsToCopy(10);
    if (due === undefined) throw new Error("nothing due");
    await edit(
      env,
      "UPDATE connections SET gen = 2, blob = 'newer', blob_fence = 1, blob_copied_at = NULL WHERE id = ?1",
      connected.id,
    );
    await stores.connections.markBlobsCopied([due]);
    expect(await row()).toEqual({ blob: "newer", blob_copied_at: null });
    await copyBlobs({ stores, backgroundBudget });
    expect(await env.BLOBS.get(`t/${connected.id}/2/1`)).toBe("newer");
  });

  it("a disconnected connection's blob is not written again", async () => {
    await person.call("DELETE", `/api/connections/${connected.id}`);
    await instance.cron(everyMinute);
    expect(Object.keys((await dump(env)).kv).filter((name) => name.includes(connected.id))).toEqual([]);
  });

  it("takes many in few statements", async () => {
    const more = Array.from({ length: 24 }, (_, at) => `con_${String(at).padStart(32, "0")}`);
    for (const id of more) {
      await edit(
        env,
        `INSERT INTO connections (id, workspace_id, service, label, kind, storage, upstream_url, status, lookup, verifier, blob, created_at)
         SELECT ?2, workspace_id, service, label, kind, storage, upstream_url, status, ?2, verifier, blob, created_at FROM connections WHERE id = ?1`,
        connected.id,
        id,
      );
    }
    ledger.take();
    expect(await copyBlobs({ stores, backgroundBudget })).toBe(25);
    expect(
      ledger
        .take()
        .split(" ")
        .filter((operation) => operation.startsWith("d1:")),
    ).toHaveLength(3);
    expect(await stores.connections.blobsToCopy(10)).toEqual([]);
  });
});
