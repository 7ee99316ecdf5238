import { describe, expect, it } from "vitest";
import { rpcCall, withHeaders } from "../support/answers.ts";
import { countedEnv } from "../support/counting.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson } from "../support/person.ts";
import { edit } from "../support/storage.ts";
import { upstream } from "../support/upstream.ts";

const ledger = countedEnv();
const instance = createInstance(ledger.env);

describe.each(["zero_knowledge", "managed"] as const)("storage operations of one call, %s", (storage) => {
  it.each(["secret URL", "API key"])("%s: one D1 read, KV only until it is warm, no write", async (form) => {
    const person = await createPerson(instance);
    const connected = await person.connect({ url: upstream().url, storage });
    const call = async () => {
      ledger.take();
      const answer =
        form === "API key"
          ? await instance.fetch(
              connected.mcpPath,
              withHeaders(rpcCall(), { authorization: `Bearer ${connected.apiKey}` }),
            )
          : await instance.fetch(connected.secretPath, rpcCall());
      expect(answer.status).toBe(200);
      await answer.body?.cancel();
      return ledger.take();
    };
    // And one for all counts of the isolate, once a minute at most.
    expect(await call(), "the first call notes that the connection is used").toMatch(
      /^d1:first d1:run( d1:run)?$/,
    );
    expect(await call(), "the row carries the blob at first").toBe("d1:first");
    await edit(instance.env, "UPDATE connections SET blob = NULL WHERE id = ?1", connected.id);
    expect(await call(), "then KV has it").toBe("d1:first kv:get");
    expect(await call(), "a hot connection").toBe("d1:first");
    expect(await call()).toBe("d1:first");
  });
});

describe("last_used_at", () => {
  it("is written at most once in five minutes, however many calls come", async () => {
    const person = await createPerson(instance);
    const { secretPath, id } = await person.connect({ url: upstream().url });
    const used = async () =>
      await ledger.env.DB.prepare("SELECT last_used_at FROM connections WHERE id = ?1")
        .bind(id)
        .first<number>("last_used_at");
    expect(await used()).toBeNull();
    const before = Date.now();
    await Promise.all([1, 2, 3].map(async () => await instance.fetch(secretPath, rpcCall())));
    const first = await used();
    expect(first).toBeGreaterThan(before - 5000);
    await instance.fetch(secretPath, rpcCall());
    expect(await used()).toBe(first);
    expect(await (await person.call("GET", `/api/connections/${id}`)).json()).toMatchObject({
      state: "working",
    });
  });
});

describe("creating a connection", () => {
  it("keeps it in one durable write before it is answered", async () => {
    const person = await createPerson(instance);
    await person.call("GET", "/api/me");
    ledger.take();
    await person.connect({ url: upstream().url });
    // Who it is, the end of the audit log, then the row and its event in one transaction.
    expect(ledger.take()).toBe("d1:first d1:first d1:batch d1:batch kv:put");
  });
});
