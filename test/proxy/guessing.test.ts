import { beforeAll, describe, expect, it, vi } from "vitest";
import { systemRandom } from "../../src/lib/random.ts";
import { checksum } from "../../src/vault/checksum.ts";
import { formatApiKey, formatCredential } from "../../src/vault/credential.ts";
import { problemOf, rpcCall, rpcErrorOf, withHeaders } from "../support/answers.ts";
import { countedEnv } from "../support/counting.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson, type Connected } from "../support/person.ts";
import { edit } from "../support/storage.ts";
import { upstream } from "../support/upstream.ts";

const [admitSource] = Object.values(
  import.meta.glob(["../../src/proxy/admit.ts"], { query: "?raw", import: "default", eager: true }),
);
const ledger = countedEnv();
const instance = createInstance(ledger.env);
const service = upstream();
const storages = ["zero_knowledge", "managed"] as const;
const connections = new Map<string, Connected>();
const connectionOf = (storage: string): Connected => {
  const found = connections.get(storage);
  if (found === undefined) throw new Error("not connected");
  return found;
};

beforeAll(async () => {
  const person = await createPerson(instance);
  for (const storage of storages)
    connections.set(storage, await person.connect({ url: service.url, storage }));
});

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const withKey = (apiKey: string) => withHeaders(rpcCall(), { authorization: `Bearer ${apiKey}` });

describe.each(storages)("%s", (storage) => {
  it("T11 a wrong second half is refused before anything is decrypted", async () => {
    const { credential, secretPath } = connectionOf(storage);
    const decrypt = vi.spyOn(crypto.subtle, "decrypt");
    try {
      await rpcErrorOf(
        await instance.fetch(
          `/mcp/custom/${formatCredential({ id: credential.id, key: systemRandom(32) })}`,
          rpcCall(),
        ),
        "unknown_credential",
      );
      expect(decrypt).toHaveBeenCalledTimes(0);
      expect((await instance.fetch(secretPath, rpcCall())).status).toBe(200);
      expect(decrypt.mock.calls.length, "the spy sees what the right one does").toBeGreaterThan(0);
    } finally {
      decrypt.mockRestore();
    }
  });

  it("T11 a wrong second half is refused alike where nothing could be decrypted", async () => {
    const { id, credential, secretPath } = connectionOf(storage);
    const kept = await ledger.env.DB.prepare("SELECT blob FROM connections WHERE id = ?1")
      .bind(id)
      .first<string>("blob");
    await edit(instance.env, "UPDATE connections SET blob = 'unreadable' WHERE id = ?1", id);
    const wrong = formatCredential({ id: credential.id, key: systemRandom(32) });
    await rpcErrorOf(await instance.fetch(`/mcp/custom/${wrong}`, rpcCall()), "unknown_credential");
    await rpcErrorOf(await instance.fetch(secretPath, rpcCall()), "grant_unreadable");
    await edit(instance.env, "UPDATE connections SET blob = ?2 WHERE id = ?1", id, kept);
  });

  it("T12 the other spellings of a credential are unknown, in both forms", async () => {
    const { text, secretPath } = connectionOf(storage);
    expect((await instance.fetch(secretPath, rpcCall())).status).toBe(200);
    const at = alphabet.indexOf(text.slice(-1));
    const aliases = Array.from(
      { length: 15 },
      (_, step) => `${text.slice(0, -1)}${alphabet[(at & 48) + ((at + step + 1) & 15)]}`,
    );
    expect(new Set(aliases).size).toBe(15);
    for (const alias of [...aliases, `${text}=`, `${text}==`, ` ${text}`.trim().replaceAll("-", "+")].filter(
      (spelling) => spelling !== text,
    )) {
      const answer = await instance.fetch(`/mcp/custom/${alias}`, rpcCall());
      expect(
        answer.status === 404 || (await answer.text()).includes("unknown_credential"),
        alias.slice(-3),
      ).toBe(true);
      const body = `bnd_test_${alias}`;
      await rpcErrorOf(
        await instance.fetch("/mcp/custom", withKey(body + checksum(body))),
        "unknown_credential",
      );
    }
  });
});

const text = () => connectionOf("zero_knowledge").text;
const apiKey = () => connectionOf("zero_knowledge").apiKey;
const flip = (character: string | undefined) => (character === "A" ? "B" : "A");

describe("T13 without a storage call:", () => {
  const cases: readonly (readonly [string, () => readonly [string, RequestInit]])[] = [
    ["too short", () => [`/mcp/custom/${text().slice(1)}`, rpcCall()]],
    ["too long", () => [`/mcp/custom/${text()}A`, rpcCall()]],
    [
      "an alias",
      () => [
        `/mcp/custom/${text().slice(0, -1)}${alphabet[(alphabet.indexOf(text().slice(-1)) & 48) + ((alphabet.indexOf(text().slice(-1)) + 1) & 15)]}`,
        rpcCall(),
      ],
    ],
    ["the API key as an address", () => [`/mcp/custom/${apiKey()}`, rpcCall()]],
    ["a wrong checksum", () => ["/mcp/custom", withKey(apiKey().slice(0, -1) + flip(apiKey().at(-1)))]],
    [
      "one mistyped character",
      () => ["/mcp/custom", withKey(`bnd_test_${flip(text()[0])}${apiKey().slice(10)}`)],
    ],
    [
      "a key of the other environment",
      () => ["/mcp/custom", withKey(formatApiKey(connectionOf("zero_knowledge").credential, "live"))],
    ],
    ["the address's credential as a key", () => ["/mcp/custom", withKey(text())]],
    ["upper-case prefix", () => ["/mcp/custom", withKey(apiKey().replace("bnd_", "BND_"))]],
    ["no credential", () => ["/mcp/custom", rpcCall()]],
    ["another scheme", () => ["/mcp/custom", withHeaders(rpcCall(), { authorization: `Basic ${apiKey()}` })]],
    ["a GET with a malformed credential", () => ["/mcp/custom/abc", { method: "GET" }]],
    [
      "T64 a foreign origin",
      () => [`/mcp/custom/${text()}`, withHeaders(rpcCall(), { origin: "https://evil.example" })],
    ],
    ["another method", () => [`/mcp/custom/${text()}`, { method: "PUT" }]],
  ];

  it.each(cases)("%s", async (_, request) => {
    ledger.take();
    await service.forget();
    const answer = await instance.fetch(...request());
    expect(await answer.text()).toMatch(
      /unknown_credential|missing_credential|origin_not_allowed|method_not_allowed/,
    );
    expect(ledger.take()).toBe("");
    expect(await service.requests()).toEqual([]);
  });

  it("the ledger sees what a well-formed guess costs: one read", async () => {
    ledger.take();
    const unknown = formatCredential({ id: systemRandom(32), key: systemRandom(32) });
    await problemOf(await instance.fetch(`/mcp/custom/${unknown}`), "unknown_credential");
    expect(ledger.take()).toBe("d1:first");
  });
});

describe("admission", () => {
  it("T14 compares the second half's proof in constant time, and nothing else of it", () => {
    expect(admitSource).toContain("!equal(verifier, expected)");
    expect(admitSource).not.toMatch(/toBase64Url\(verifier\)|row\.verifier\s*[!=]==|verifier\s*[!=]==/);
  });
});
