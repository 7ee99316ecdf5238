import { describe, expect, it } from "vitest";
import { z } from "zod";
import { fromBase64Url } from "../../src/lib/bytes.ts";
import { checksum } from "../../src/vault/checksum.ts";
import { rpcCall } from "../support/answers.ts";
import { countedEnv } from "../support/counting.ts";
import { createInstance } from "../support/instance.ts";
import { connectionAnswer, createPerson, createdAnswer } from "../support/person.ts";
import { dump } from "../support/storage.ts";
import { upstream } from "../support/upstream.ts";

const ledger = countedEnv();
const instance = createInstance(ledger.env);
const service = upstream();
const wanted = { service: "custom", url: service.url, fields: { api_key: "good-key" } };

describe("the answer to a new connection", () => {
  it("carries the credential in both forms, once, and snippets that hold it", async () => {
    const person = await createPerson(instance);
    const answer = await person.call("POST", "/api/connections", { ...wanted, label: "  My server ü  " });
    expect(answer.status).toBe(201);
    const { connection, credential, snippets } = createdAnswer.parse(await answer.json());
    const text = credential.secret_url.split("/").at(-1) ?? "";
    expect(fromBase64Url(text)).toHaveLength(64);
    expect(credential.secret_url).toBe(`${instance.env.PUBLIC_URL}/mcp/custom/${text}`);
    expect(credential.mcp_url).toBe(`${instance.env.PUBLIC_URL}/mcp/custom`);
    expect(credential.api_key).toBe(`bnd_test_${text}${checksum(`bnd_test_${text}`)}`);
    expect(connection).toMatchObject({
      label: "My server ü",
      state: "never_used",
      last_used_at: null,
      service_name: "Any MCP server",
    });
    expect(snippets.map(({ client }) => client)).toEqual(
      expect.arrayContaining([
        "claude-code",
        "cursor",
        "vscode",
        "codex",
        "gemini-cli",
        "chatgpt",
        "mcp-remote",
      ]),
    );
    for (const snippet of snippets) expect(JSON.stringify(snippet)).toContain(text);
    for (const path of ["/api/connections", `/api/connections/${connection.id}`, "/api/me"]) {
      expect(await (await person.call("GET", path)).text()).not.toContain(text.slice(0, 20));
    }
  });

  it("T23 may not be stored, framed, sniffed or told to others", async () => {
    const person = await createPerson(instance);
    const answers = [
      await person.call("POST", "/api/connections", wanted),
      await person.call("GET", "/api/connections"),
      await instance.fetch("/api/config"),
    ];
    for (const answer of answers) {
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
      });
    }
  });

  it("T23 what a secret URL answers runs no code, is not framed and refers nobody", async () => {
    const person = await createPerson(instance);
    const { secretPath } = await person.connect({ url: upstream("/echo").url });
    const answer = await instance.fetch(secretPath, {
      method: "GET",
      headers: { "mcp-param-behave": "/stall?type=text/html" },
    });
    expect(answer.headers.get("content-type")).toBe("text/html");
    expect(answer.headers.get("content-security-policy")).toContain(
      "sandbox; default-src 'none'; frame-ancestors 'none'",
    );
    expect(answer.headers.get("referrer-policy")).toBe("no-referrer");
    await answer.body?.cancel();
  });

  it("two connections share nothing: not the credential, not the seal", async () => {
    const person = await createPerson(instance);
    const first = await person.connect({ url: service.url });
    const second = await person.connect({ url: service.url });
    const { tables } = await dump(instance.env);
    const rows = (tables["connections"] ?? []).filter(
      (row) => row["id"] === first.id || row["id"] === second.id,
    );
    for (const name of ["id", "lookup", "verifier", "blob"])
      expect(rows[0]?.[name]).not.toEqual(rows[1]?.[name]);
    expect(first.text).not.toBe(second.text);
  });
});

describe("disconnecting", () => {
  it.each(["zero_knowledge", "managed"] as const)(
    "T21 holds when DELETE answers, with warm caches and stale KV (%s)",
    async (storage) => {
      const person = await createPerson(instance);
      const own = upstream();
      const connected = await person.connect({ url: own.url, storage });
      const [entry] = Object.entries((await dump(instance.env)).kv).filter(([key]) =>
        key.includes(connected.id),
      );
      await instance.env.DB.prepare("UPDATE connections SET blob = NULL WHERE id = ?1")
        .bind(connected.id)
        .run();
      for (const _ of [1, 2])
        expect((await instance.fetch(connected.secretPath, rpcCall())).status).toBe(200);
      await own.forget();

      const answer = await person.call("DELETE", `/api/connections/${connected.id}`);
      expect(answer.status).toBe(200);
      expect(await answer.json()).toMatchObject({
        connection: { status: "disconnected", state: "disconnected" },
        revocation: { outcome: "not_applicable" },
      });
      // KV is eventually consistent: elsewhere it still shows the blob.
      await instance.env.BLOBS.put(entry?.[0] ?? "", entry?.[1] ?? "");
      for (const path of [connected.secretPath, `${connected.secretPath}/sse`]) {
        expect((await instance.fetch(path, { method: "GET" })).status).toBe(404);
      }
      expect(await (await instance.fetch(connected.secretPath, rpcCall())).text()).toContain(
        "unknown_credential",
      );
      expect(await own.requests()).toEqual([]);
    },
  );

  it("deletes the sealed key from the row and from KV, and may be repeated", async () => {
    const person = await createPerson(instance);
    const { id } = await person.connect({ url: service.url });
    const first = z
      .object({ connection: connectionAnswer })
      .loose()
      .parse(await (await person.call("DELETE", `/api/connections/${id}`)).json());
    const { tables, kv } = await dump(instance.env);
    expect(tables["connections"]?.find((row) => row["id"] === id)).toMatchObject({
      blob: null,
      status: "disconnected",
    });
    expect(Object.keys(kv).filter((key) => key.includes(id))).toEqual([]);
    const again = z
      .object({ connection: connectionAnswer })
      .loose()
      .parse(await (await person.call("DELETE", `/api/connections/${id}`)).json());
    expect(again.connection).toEqual(first.connection);
  });

  it("tells where the key itself can be deleted", async () => {
    const person = await createPerson(instance);
    const { id } = await person.connect({ url: service.url });
    const { revocation } = z
      .object({ revocation: z.object({ detail: z.string() }) })
      .loose()
      .parse(await (await person.call("DELETE", `/api/connections/${id}`)).json());
    expect(revocation.detail).toContain("delete it there");
  });

  it("a database that fails keeps the connection, and says so", async () => {
    const person = await createPerson(instance);
    const { id, secretPath } = await person.connect({ url: service.url });
    const prepare = (sql: string) => {
      if (/UPDATE connections SET status/.test(sql)) throw new Error("D1_ERROR: gone");
      return instance.env.DB.prepare(sql);
    };
    const failing = createInstance({
      DB: new Proxy(instance.env.DB, {
        get: (target, name) => (name === "prepare" ? prepare : Reflect.get(target, name)),
      }),
    });
    const answer = await failing.fetch(`/api/connections/${id}`, {
      method: "DELETE",
      headers: { authorization: `Bearer ${person.token}` },
    });
    expect(answer.status).toBe(503);
    expect((await instance.fetch(secretPath, rpcCall())).status).toBe(200);
  });
});
