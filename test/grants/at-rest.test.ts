import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { z } from "zod";
import { openGrant, type GrantBinding } from "../../src/grants/grant.ts";
import { fromBase64Url, fromHex, utf8 } from "../../src/lib/bytes.ts";
import { unwrapDataKey } from "../../src/vault/data-key.ts";
import { importKeyMaterial, type KeyMaterial } from "../../src/vault/derive.ts";
import { parseKeyring } from "../../src/vault/keyring.ts";
import { findLeaks, storageHaystacks, type Canary } from "../support/canary.ts";
import { rpcCall } from "../support/answers.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson, type Connected } from "../support/person.ts";
import { dump, edit, type Dump } from "../support/storage.ts";

const instance = createInstance();
const secret = "canary-key-of-the-service-0123456789";
const header = { name: "X-Service-Key" };
/** There are servers that take their key in the address. */
const inAddress = "canary-key-in-the-address-0123456789";
let userHeld: Connected;
let managed: Connected;
let stored: Dump;

const rowSchema = z.object({
  id: z.string(),
  workspace_id: z.string(),
  service: z.string(),
  storage: z.enum(["zero_knowledge", "managed"]),
  lookup: z.string(),
  verifier: z.string(),
  gen: z.number(),
  data_key_id: z.string().nullable(),
});

beforeAll(async () => {
  // The service takes any key in this header, so that the key can be a canary.
  const url = `${inject("oddUrl")}/open/200?apiKey=${inAddress}`;
  const person = await createPerson(instance);
  userHeld = await person.connect({ url, key: secret, header });
  managed = await person.connect({ url, key: secret, header, storage: "managed" });
  for (const { secretPath } of [userHeld, managed]) {
    const received = await (await instance.fetch(secretPath, rpcCall())).text();
    expect([received.includes(secret), received.includes(inAddress)]).toEqual([true, true]);
  }
  // One connection's blob is in KV and the row, one's only in KV.
  await edit(instance.env, "UPDATE connections SET blob = NULL WHERE id = ?1", managed.id);
  stored = await dump(instance.env);
});

function rowOf({ id }: Connected): { row: z.output<typeof rowSchema>; blob: string; binding: GrantBinding } {
  const row = rowSchema.parse(stored.tables["connections"]?.find((one) => one["id"] === id));
  const blob = stored.kv[`t/${id}/1/0`];
  const [lookup, verifier] = [fromBase64Url(row.lookup), fromBase64Url(row.verifier)];
  if (blob === undefined || lookup === undefined || verifier === undefined)
    throw new Error("not stored as expected");
  const binding = {
    connectionId: id,
    workspaceId: row.workspace_id,
    service: row.service,
    storage: row.storage,
    lookup,
    verifier,
    generation: row.gen,
  };
  return { row, blob, binding };
}

/** Every 32 bytes that somebody could try as a key: read from any text at any offset, and from the environment. */
async function candidates(): Promise<readonly KeyMaterial[]> {
  const texts = [
    ...storageHaystacks(stored).map(({ text }) => text),
    ...Object.values(env).flatMap((value) => (typeof value === "string" ? [value] : [])),
    ...(env.MANAGED_ENCRYPTION_KEYS.match(/[0-9a-f]{64}/g) ?? []),
  ];
  const windows = new Map<string, Uint8Array>();
  for (const text of new Set(texts)) {
    for (const bytes of [utf8(text), fromBase64Url(text), fromHex(text)]) {
      if (bytes === undefined || bytes.length < 32 || bytes.length > 4096) continue;
      for (let at = 0; at + 32 <= bytes.length; at++) {
        const window = bytes.slice(at, at + 32);
        windows.set(window.join(), window);
      }
    }
  }
  const keyring = await parseKeyring({ keys: env.MANAGED_ENCRYPTION_KEYS });
  if (keyring === undefined) throw new Error("the tests have a master key");
  const dataKeys = await Promise.all(
    (stored.tables["data_key_wrappings"] ?? []).map(async (row) => {
      const id = fromHex(String(row["data_key_id"]));
      const wrapped = fromBase64Url(String(row["wrapped"]));
      if (id === undefined || wrapped === undefined) throw new Error("not a wrapping");
      return await unwrapDataKey(wrapped, id, rowOf(managed).row.workspace_id, keyring, "test");
    }),
  );
  return [
    ...[...keyring.byFingerprint.values()].map((key) => key.material),
    ...dataKeys.map((key) => key.material),
    ...(await Promise.all([...windows.values()].map(importKeyMaterial))),
  ];
}

/** With how many of the keys does the connection's blob open, under each name that an envelope may give its key? */
async function opened(connected: Connected, keys: readonly KeyMaterial[]): Promise<number> {
  const { blob, binding } = rowOf(connected);
  const kid = fromBase64Url(blob)?.slice(2, 10) ?? new Uint8Array(8);
  let count = 0;
  for (const material of keys) {
    const outcome = await Promise.allSettled([openGrant(blob, { material, kid }, binding, "test")]);
    if (outcome[0].status === "fulfilled") count += 1;
  }
  return count;
}

describe("a full dump of D1 and KV with every secret of the environment", () => {
  it("T1 opens no user-held grant, and does open a managed one", async () => {
    const keys = await candidates();
    expect(keys.length).toBeGreaterThan(500);
    expect(await opened(userHeld, keys)).toBe(0);
    expect(await opened(managed, keys), "the attempt is a real one").toBe(1);
    expect(
      await opened(userHeld, [await importKeyMaterial(userHeld.credential.key)]),
      "the holder's key opens it",
    ).toBe(1);
  });

  it("T2 without the master keys opens no managed grant either", async () => {
    const masterless = await Promise.all(
      [managed.credential.key, managed.credential.id].map(importKeyMaterial),
    );
    expect(await opened(managed, masterless)).toBe(0);
  });

  it("T3 holds neither half of a credential, nor the key of the service, in any form", () => {
    const canaries = [userHeld, managed].flatMap(({ credential, text, apiKey }): Canary[] => [
      { name: "id", bytes: credential.id },
      { name: "key", bytes: credential.key },
      { name: "credential", bytes: utf8(text) },
      { name: "API key", bytes: utf8(apiKey) },
    ]);
    canaries.push({ name: "key of the service", bytes: utf8(secret) });
    canaries.push({ name: "key in the service's address", bytes: utf8(inAddress) });
    expect(findLeaks(storageHaystacks(stored), canaries)).toEqual([]);
    expect(Object.keys(stored.kv)).toHaveLength(2);
    expect(Object.keys(stored.tables)).toEqual(
      expect.arrayContaining(["connections", "users", "data_key_wrappings"]),
    );
  });
});
