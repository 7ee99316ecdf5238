import { describe, expect, it } from "vitest";
import { z } from "zod";
import { problemOf } from "../support/answers.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson } from "../support/person.ts";
import { dump, edit } from "../support/storage.ts";
import { upstream } from "../support/upstream.ts";

const instance = createInstance();
const made = z.looseObject({ connection: z.looseObject({ id: z.string() }) });
const body = () => ({ service: "custom", url: upstream().url, fields: { api_key: "good-key" } });
const count = z.object({ connections: z.array(z.unknown()) });

const broken = async () => {
  throw new Error("D1_ERROR: the test wants it so");
};

describe("Idempotency-Key", () => {
  it("a repeat makes nothing again, names what was made, and the secret is stored nowhere", async () => {
    const person = await createPerson(instance);
    const wanted = body();
    const first = await person.call("POST", "/api/connections", wanted, { "idempotency-key": '"abc def"' });
    expect(first.status).toBe(201);
    const text = await first.text();
    const { id } = made.parse(JSON.parse(text)).connection;
    const again = await person.call("POST", "/api/connections", wanted, { "idempotency-key": '"abc def"' });
    expect(await problemOf(again, "credential_already_answered")).toMatchObject({ created: id });
    const kept = JSON.stringify((await dump(instance.env)).tables["idempotency_keys"]);
    expect(kept).toContain(id);
    expect(kept).not.toContain("abc def");
    expect(kept).not.toContain("good-key");
    const secret = /bnd_test_\w+/.exec(text)?.[0] ?? "none";
    expect(kept).not.toContain(secret);
    const { connections } = count.parse(await (await person.call("GET", "/api/connections")).json());
    expect(connections).toHaveLength(1);
  });

  it("the same key with another body or at another address is refused", async () => {
    const person = await createPerson(instance);
    const headers = { "idempotency-key": "k1" };
    await person.call("POST", "/api/connections", body(), headers);
    await problemOf(await person.call("POST", "/api/connections", body(), headers), "idempotency_mismatch");
    const token = { name: "x", scope: "read" };
    await problemOf(await person.call("POST", "/api/tokens", token, headers), "idempotency_mismatch");
  });

  it("of many at once one is made", async () => {
    const person = await createPerson(instance);
    const wanted = body();
    const answers = await Promise.all(
      Array.from({ length: 5 }, async () =>
        person.call("POST", "/api/connections", wanted, { "idempotency-key": "race" }),
      ),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    const others = answers.filter(({ status }) => status !== 201);
    for (const other of others) {
      expect(other.status).toBe(409);
      const text = await other.text();
      expect(text).toMatch(/request_in_flight|credential_already_answered/);
      if (text.includes("in_flight")) expect(other.headers.get("retry-after")).toBe("2");
    }
  });

  it("what failed may be sent again, and what broke off is told", async () => {
    const person = await createPerson(instance);
    const headers = { "idempotency-key": "again" };
    const wanted = { ...body(), fields: { api_key: "bad-key" } };
    await problemOf(await person.call("POST", "/api/connections", wanted, headers), "key_rejected");
    await problemOf(await person.call("POST", "/api/connections", wanted, headers), "key_rejected");
    const good = body();
    expect((await person.call("POST", "/api/connections", good, { "idempotency-key": "gone" })).status).toBe(
      201,
    );
    await edit(
      instance.env,
      "UPDATE idempotency_keys SET finished_at = NULL, created_at = created_at - 300000",
    );
    const late = await person.call("POST", "/api/connections", good, { "idempotency-key": "gone" });
    await problemOf(late, "outcome_unknown");
  });

  it.each(["finish", "forget"] as const)(
    "a storage that fails at `%s` costs nobody the answer",
    async (at) => {
      const person = await createPerson(instance);
      const failing = createInstance({}, (runtime) => {
        const { idempotency } = runtime.stores;
        return { ...runtime, stores: { ...runtime.stores, idempotency: { ...idempotency, [at]: broken } } };
      });
      const wanted = at === "finish" ? body() : { ...body(), fields: { api_key: "bad-key" } };
      const answer = await failing.fetch("/api/connections", {
        method: "POST",
        headers: {
          authorization: `Bearer ${person.token}`,
          "content-type": "application/json",
          "idempotency-key": "hiccup",
        },
        body: JSON.stringify(wanted),
      });
      if (at === "forget") return void (await problemOf(answer, "key_rejected"));
      expect(answer.status).toBe(201);
      expect(await answer.text()).toContain('"secret_url"');
      const again = await person.call("POST", "/api/connections", wanted, { "idempotency-key": "hiccup" });
      await problemOf(again, "request_in_flight");
    },
  );

  it("an answer without a secret is given again, a new key for a token is not", async () => {
    const person = await createPerson(instance);
    const { id } = await person.connect({ url: upstream().url, storage: "managed" });
    const wanted = { ...body(), storage: "managed", reauthorize: id };
    const headers = { "idempotency-key": "keep" };
    const first = await person.call("POST", "/api/connections", wanted, headers);
    const second = await person.call("POST", "/api/connections", wanted, headers);
    expect(second.status).toBe(201);
    expect(second.headers.get("idempotent-replayed")).toBe("true");
    expect(await second.json()).toEqual(await first.json());
    const token = { name: "x", scope: "read" };
    expect((await person.call("POST", "/api/tokens", token, { "idempotency-key": "t" })).status).toBe(201);
    const again = await person.call("POST", "/api/tokens", token, { "idempotency-key": "t" });
    expect((await problemOf(again, "credential_already_answered")).created).toMatch(/^tok_/);
  });

  it("is a person's own, ends after a day, and must be readable", async () => {
    const [one, two] = [await createPerson(instance), await createPerson(instance)];
    const headers = { "idempotency-key": "shared" };
    expect((await one.call("POST", "/api/connections", body(), headers)).status).toBe(201);
    expect((await two.call("POST", "/api/connections", body(), headers)).status).toBe(201);
    await edit(instance.env, "UPDATE idempotency_keys SET created_at = created_at - 86400001");
    expect((await one.call("POST", "/api/connections", body(), headers)).status).toBe(201);
    expect(await (await instance.runtime()).stores.idempotency.purge()).toBeGreaterThan(0);
    const bad = await one.call("POST", "/api/connections", body(), { "idempotency-key": "x".repeat(256) });
    await problemOf(bad, "invalid_request");
  });
});
