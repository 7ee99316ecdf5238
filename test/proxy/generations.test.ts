import { describe, expect, it } from "vitest";
import { sealGrant } from "../../src/grants/grant.ts";
import { managedKey, userHeldKey } from "../../src/grants/grant-key.ts";
import { fromBase64Url } from "../../src/lib/bytes.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { importKeyMaterial } from "../../src/vault/derive.ts";
import { problemOf, rpcCall, rpcErrorOf } from "../support/answers.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson, type Connected } from "../support/person.ts";
import { edit } from "../support/storage.ts";
import { upstream } from "../support/upstream.ts";

const instance = createInstance();

/** Writes the next generation as a refresh will: a re-seal by somebody who holds the key. */
async function reseal({ id, credential }: Connected, url: string): Promise<string> {
  const { stores, keyring } = await instance.runtime();
  const lookup = await instance.env.DB.prepare("SELECT lookup FROM connections WHERE id = ?1")
    .bind(id)
    .first<string>("lookup");
  const row = await stores.connections.admit(lookup ?? "", keyring?.fingerprints ?? []);
  const [lookupBytes, verifier] = [fromBase64Url(lookup ?? ""), fromBase64Url(row?.verifier ?? "")];
  if (row === null || lookupBytes === undefined || verifier === undefined) throw new Error("no such row");
  const wrapped =
    row.data_key_id === null || row.wrapped_data_key === null
      ? null
      : { id: row.data_key_id, wrapped: row.wrapped_data_key };
  const key =
    row.storage === "managed"
      ? await managedKey(wrapped, row.workspace_id, keyring, "test")
      : userHeldKey(await importKeyMaterial(credential.key));
  const blob = await sealGrant(
    {
      v: 1,
      kind: "key",
      url,
      transport: "http",
      header: { name: "Authorization", prefix: "Bearer" },
      secret: "good-key",
      extra_headers: {},
    },
    key,
    {
      connectionId: id,
      workspaceId: row.workspace_id,
      service: row.service,
      storage: row.storage,
      lookup: lookupBytes,
      verifier,
      generation: 2,
    },
    "test",
    systemRandom,
  );
  await edit(
    instance.env,
    "UPDATE connections SET gen = 2, blob_fence = 1, blob = ?2 WHERE id = ?1",
    id,
    blob,
  );
  return blob;
}

describe.each(["zero_knowledge", "managed"] as const)("generations, %s", (storage) => {
  it("T7 the previous generation's blob does not open under the present row", async () => {
    const person = await createPerson(instance);
    const service = upstream();
    const connected = await person.connect({ url: service.url, storage });
    const old = await instance.env.DB.prepare("SELECT blob FROM connections WHERE id = ?1")
      .bind(connected.id)
      .first<string>("blob");
    const next = await reseal(connected, service.url);
    expect(next).not.toBe(old);
    expect((await instance.fetch(connected.secretPath, rpcCall())).status).toBe(200);
    await service.forget();
    await edit(instance.env, "UPDATE connections SET blob = ?2 WHERE id = ?1", connected.id, old);
    await rpcErrorOf(await instance.fetch(connected.secretPath, rpcCall()), "grant_unreadable");
    await edit(instance.env, "UPDATE connections SET blob = NULL WHERE id = ?1", connected.id);
    await instance.env.BLOBS.put(`t/${connected.id}/2/1`, old ?? "");
    await rpcErrorOf(await instance.fetch(connected.secretPath, rpcCall()), "grant_unreadable");
    expect(await service.requests()).toEqual([]);
  });

  it("a blob that D1 names and KV does not show is a delay, never unknown", async () => {
    const person = await createPerson(instance);
    const service = upstream();
    const connected = await person.connect({ url: service.url, storage });
    const next = await reseal(connected, service.url);
    await service.forget();
    await edit(instance.env, "UPDATE connections SET blob = NULL WHERE id = ?1", connected.id);
    const answer = await instance.fetch(connected.secretPath, { method: "GET" });
    await problemOf(answer, "grant_delayed");
    expect(answer.headers.get("retry-after")).toBe("5");
    expect(await service.requests()).toEqual([]);
    await instance.env.BLOBS.put(`t/${connected.id}/2/1`, next);
    expect((await instance.fetch(connected.secretPath, rpcCall())).status).toBe(200);
  });
});

const newKey = () => JSON.stringify([{ key: "ab".repeat(32) }]);

describe("master keys", () => {
  it("T9 a key that is not loaded is a failure: no other key is tried", async () => {
    const person = await createPerson(instance);
    const service = upstream();
    const { secretPath } = await person.connect({ url: service.url, storage: "managed" });
    await service.forget();
    for (const keys of [newKey(), ""]) {
      const other = createInstance({ MANAGED_ENCRYPTION_KEYS: keys });
      await rpcErrorOf(await other.fetch(secretPath, rpcCall()), "master_key_missing");
      expect((await other.fetch(secretPath, { method: "GET" })).status).toBe(503);
    }
    expect(await service.requests()).toEqual([]);
    expect((await instance.fetch(secretPath, rpcCall())).status, "and nothing is lost").toBe(200);
  });

  it("T9 a wrapping that is filed under a loaded key, but names another, is not tried", async () => {
    const service = upstream();
    const person = await createPerson(instance);
    const { secretPath, id } = await person.connect({ url: service.url, storage: "managed" });
    const other = createInstance({ MANAGED_ENCRYPTION_KEYS: newKey() });
    const { keyring } = await other.runtime();
    await edit(
      instance.env,
      `INSERT INTO data_key_wrappings SELECT w.data_key_id, ?2, w.wrapped, w.created_at FROM data_key_wrappings w
         JOIN connections c ON c.data_key_id = w.data_key_id WHERE c.id = ?1`,
      id,
      keyring?.active.fingerprint ?? "",
    );
    await service.forget();
    await rpcErrorOf(await other.fetch(secretPath, rpcCall()), "master_key_missing");
    expect(await service.requests()).toEqual([]);
  });

  it("a user-held connection needs none", async () => {
    const person = await createPerson(instance);
    const { secretPath } = await person.connect({ url: upstream().url });
    const bare = createInstance({ MANAGED_ENCRYPTION_KEYS: "" });
    expect((await bare.fetch(secretPath, rpcCall())).status).toBe(200);
  });
});
