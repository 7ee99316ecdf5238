import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { toBase64Url } from "../../src/lib/bytes.ts";
import type { FaultCode } from "../../src/lib/fault.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { formatCredential, mintCredential } from "../../src/vault/credential.ts";
import { deriveVerifier, importKeyMaterial, lookupOf } from "../../src/vault/derive.ts";
import { rpcCall, rpcErrorOf } from "../support/answers.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson, type Connected, type Person } from "../support/person.ts";
import { edit } from "../support/storage.ts";
import { upstream, type Upstream } from "../support/upstream.ts";

const instance = createInstance();
const storages = ["zero_knowledge", "managed"] as const;
let person: Person;
let stranger: Person;
let service: Upstream;
let elsewhere: Upstream;

const column = async (id: string, name: string): Promise<string> =>
  String(await instance.env.DB.prepare(`SELECT ${name} FROM connections WHERE id = ?1`).bind(id).first(name));

beforeEach(async () => {
  [person, stranger] = [await createPerson(instance), await createPerson(instance)];
  [service, elsewhere] = [upstream(), upstream()];
});

/** Given an edited row, the holder's next call is refused with a sentence, and nothing goes anywhere. */
async function refused(path: string, code: FaultCode): Promise<void> {
  await service.forget();
  await elsewhere.forget();
  const { error } = await rpcErrorOf(await instance.fetch(path, rpcCall()), code);
  expect(error.message).toMatch(/\.$/);
  expect(await service.requests()).toEqual([]);
  expect(await elsewhere.requests()).toEqual([]);
}

describe.each(storages)("%s", (storage) => {
  let connected: Connected;
  const set = async (name: string, value: string | number | null) =>
    await edit(instance.env, `UPDATE connections SET ${name} = ?2 WHERE id = ?1`, connected.id, value);

  beforeEach(async () => {
    connected = await person.connect({ url: service.url, storage });
    expect((await instance.fetch(connected.secretPath, rpcCall())).status).toBe(200);
  });

  it("T5 another service", async () => {
    await set("service", "demo");
    await refused(`/mcp/demo/${connected.text}`, "grant_unreadable");
    await refused(connected.secretPath, "unknown_credential");
  });

  it("T5 another workspace", async () => {
    const { id } = await stranger.connect({ url: elsewhere.url, storage });
    await set("workspace_id", await column(id, "workspace_id"));
    await refused(connected.secretPath, "grant_unreadable");
  });

  it("T5 another upstream address, origin or path", async () => {
    for (const url of [
      elsewhere.url,
      `${service.url}/other`,
      `${service.url}?a=b`,
      `${service.url}?…`,
      "https://evil.example/mcp",
    ]) {
      await set("upstream_url", url);
      await refused(connected.secretPath, "grant_unreadable");
    }
    await set("upstream_url", service.url);
    expect((await instance.fetch(connected.secretPath, rpcCall())).status).toBe(200);
  });

  it("T5 the attacker's own lookup and verifier", async () => {
    const own = mintCredential(systemRandom);
    await set("lookup", toBase64Url(await lookupOf(own)));
    await set("verifier", toBase64Url(await deriveVerifier(await importKeyMaterial(own.key), connected.id)));
    await refused(`/mcp/custom/${formatCredential(own)}`, "grant_unreadable");
    await refused(connected.secretPath, "unknown_credential");
  });

  it("T5 the attacker's own verifier alone, or half of one", async () => {
    const own = { id: connected.credential.id, key: systemRandom(32) };
    await set("verifier", toBase64Url(await deriveVerifier(await importKeyMaterial(own.key), connected.id)));
    await refused(`/mcp/custom/${formatCredential(own)}`, "grant_unreadable");
    for (const text of ["", "AAAA", "no base64url!", toBase64Url(new Uint8Array(32))]) {
      await set("verifier", text);
      await refused(connected.secretPath, "unknown_credential");
    }
  });

  it("T5 the other storage mode", async () => {
    const other = await person.connect({ url: service.url, storage: "managed" });
    if (storage === "managed") {
      await edit(
        instance.env,
        "UPDATE connections SET storage = 'zero_knowledge', data_key_id = NULL WHERE id = ?1",
        connected.id,
      );
      await refused(connected.secretPath, "grant_unreadable");
      return;
    }
    await set("storage", "managed");
    await refused(connected.secretPath, "master_key_missing");
    await set("data_key_id", await column(other.id, "data_key_id"));
    await refused(connected.secretPath, "grant_unreadable");
  });

  it("T5 another generation", async () => {
    await set("gen", 2);
    await refused(connected.secretPath, "grant_unreadable");
  });

  it("T4 another connection's blob, in the row and in KV", async () => {
    const other = await person.connect({ url: elsewhere.url, storage });
    const [own, theirs] = [await column(connected.id, "blob"), await column(other.id, "blob")];
    await set("blob", theirs);
    await refused(connected.secretPath, "grant_unreadable");
    await set("blob", null);
    await instance.env.BLOBS.put(`t/${connected.id}/1/0`, theirs);
    await refused(connected.secretPath, "grant_unreadable");
    await set("blob", own);
    expect((await instance.fetch(connected.secretPath, rpcCall())).status).toBe(200);
  });

  it("T8 a blob with any byte flipped, cut or lengthened", async () => {
    const blob = await column(connected.id, "blob");
    const flip = (at: number) => blob.slice(0, at) + (blob[at] === "A" ? "B" : "A") + blob.slice(at + 1);
    const positions = Array.from({ length: 24 }, (_, step) => Math.floor((step * (blob.length - 1)) / 23));
    for (const at of positions) {
      await set("blob", flip(at));
      const answer = await rpcErrorOf(
        await instance.fetch(connected.secretPath, rpcCall()),
        "grant_unreadable",
      );
      expect(answer.error.message).not.toContain(blob.slice(0, 20));
    }
    for (const text of ["", "A", blob.slice(0, -4), `${blob}AAAA`, "{}", "!"]) {
      await set("blob", text);
      await refused(connected.secretPath, "grant_unreadable");
    }
  });

  afterEach(async () => {
    await edit(instance.env, "DELETE FROM connections WHERE id = ?1", connected.id);
  });
});
