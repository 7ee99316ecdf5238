import { describe, expect, inject, it } from "vitest";
import { z } from "zod";
import { clerkUserDeletion } from "../../src/identity/clerk-users.ts";
import { OutboundError } from "../../src/lib/outbound.ts";
import { createOauthHttp } from "../../src/oauth/http.ts";
import { problemOf, rpcCall } from "../support/answers.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson, type Person } from "../support/person.ts";
import { createProvider } from "../support/provider.ts";
import { begin, goodAnswer, signIn } from "../support/sign-in.ts";
import { dump, edit } from "../support/storage.ts";
import { localClaims, signLocal } from "../support/tokens.ts";
import { upstream } from "../support/upstream.ts";

const hostile = inject("hostileUrl");
const budget = { BACKGROUND_BUDGET: "50" };
const instance = createInstance(budget);
const me = z.object({ id: z.string(), workspace_id: z.string() });
const deleted = z.object({
  status: z.string(),
  left_at_services: z.array(
    z.looseObject({ service: z.string(), kind: z.string(), connections: z.number() }),
  ),
});
const confirm = { confirm: "delete my account" };

const identify = async (person: Person) => me.parse(await (await person.call("GET", "/api/me")).json());

/** Everything at rest as one text, the names of KV included. */
async function atRest(): Promise<string> {
  return JSON.stringify(await dump(instance.env));
}

async function everythingOf(person: Person) {
  const providers = [await createProvider(hostile), await createProvider(hostile)] as const;
  const managed = await signIn(person, providers[0], { storage: "managed" });
  const held = await signIn(person, providers[1]);
  const key = await person.connect({ url: upstream().url, label: "my key" });
  const gone = await person.connect({ url: upstream().url });
  await person.call("DELETE", `/api/connections/${gone.id}`);
  await instance.fetch(key.secretPath, rpcCall());
  await person.call("POST", "/api/tokens", { name: "CI", scope: "read" }, { "idempotency-key": "x" });
  return {
    providers,
    paths: [managed.secretPath, held.secretPath, key.secretPath],
    ids: [managed.id, held.id, key.id, gone.id],
  };
}

describe("deleting an account", () => {
  it("T89 leaves nothing that names the person, revokes what can be opened and lists the rest", async () => {
    const [person, other] = [await createPerson(instance), await createPerson(instance)];
    const [kept] = [await other.connect({ url: upstream().url })];
    const { providers, paths, ids } = await everythingOf(person);
    const { id, workspace_id: workspace } = await identify(person);
    const answer = await person.call("DELETE", "/api/account", confirm);
    expect(answer.status).toBe(200);
    const { status, left_at_services: left } = deleted.parse(await answer.json());
    expect(status).toBe("erased");
    expect(left.map(({ kind, connections }) => `${kind} ${connections}`).toSorted()).toEqual([
      "key 2",
      "oauth 1",
    ]);
    expect(await providers[0].requests("/revoke")).toHaveLength(1);
    expect(await providers[1].requests("/revoke")).toHaveLength(0);
    for (const path of paths) expect((await instance.fetch(path, { method: "GET" })).status).toBe(404);

    await edit(instance.env, "UPDATE erased_connections SET sweep_at = 1");
    await instance.cron("* * * * *");
    const rest = await atRest();
    for (const name of [person.name, id, workspace, "my key", ...ids]) expect(rest).not.toContain(name);
    expect((await instance.fetch(kept.secretPath, { method: "DELETE" })).status).toBe(200);
    expect((await other.call("GET", `/api/connections/${kept.id}`)).status).toBe(200);
  });

  it("T89 refuses the person's tokens from before, and takes them as somebody new after", async () => {
    const person = await createPerson(instance);
    const before = await identify(person);
    await person.call("DELETE", "/api/account", confirm);
    await problemOf(await person.call("GET", "/api/me"), "account_erasing");
    await problemOf(await person.call("DELETE", "/api/account", confirm), "account_erasing");
    const as = async (claims: object) => {
      const token = await signLocal({ ...localClaims(person.name), ...claims });
      return await instance.fetch("/api/me", { headers: { authorization: `Bearer ${token}` } });
    };
    await problemOf(await as({ sid: "another tab" }), "account_erasing");
    const iat = Math.floor(Date.now() / 1000) + 20;
    await problemOf(await as({ iat }), "account_erasing");
    const again = await as({ iat, sid: "signed in anew" });
    expect(me.parse(await again.json()).id).not.toBe(before.id);
    await edit(instance.env, "UPDATE erasures SET finished_at = 1 WHERE finished_at IS NOT NULL");
    await instance.cron("17 * * * *");
    expect((await dump(instance.env)).tables["erasures"]).toEqual([]);
  });

  it("T89 a token that an open tab gets while the deletion runs makes no account", async () => {
    const person = await createPerson(instance);
    await identify(person);
    const started = Math.floor(Date.now() / 1000);
    await person.call("DELETE", "/api/account", confirm);
    // It ran for an hour; half-way the tab got a token, of a sign-in that was never seen here.
    await edit(
      instance.env,
      "UPDATE erasures SET started_at = started_at - 3600000 WHERE finished_at IS NOT NULL",
    );
    const token = await signLocal({ ...localClaims(person.name), iat: started - 1800, sid: "unseen" });
    const answer = await instance.fetch("/api/me", { headers: { authorization: `Bearer ${token}` } });
    await problemOf(answer, "account_erasing");
    expect(await atRest()).not.toContain(person.name);
  });

  it.each([
    ["new", "behind"],
    ["renewed", "behind"],
    ["new", "during"],
    ["renewed", "during"],
  ] as const)(
    "T89 a %s grant that arrives %s the deletion is revoked and stays nowhere",
    async (how, when) => {
      const person = await createPerson(instance);
      const provider = await createProvider(hostile);
      const { workspace_id: workspace } = await identify(person);
      const reauthorize =
        how === "new" ? undefined : (await signIn(person, provider, { storage: "managed" })).id;
      const begun = await begin(person, {
        storage: "managed",
        ...(reauthorize === undefined ? { service: "custom", url: provider.mcpUrl } : { reauthorize }),
      });
      const [held, reached] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const slow = createInstance(budget, (runtime) => ({
        ...runtime,
        oauth: createOauthHttp(async (url, init) => {
          if (url.endsWith("/token")) {
            reached.resolve();
            await held.promise;
          }
          return await runtime.outbound(url, init);
        }),
      }));
      const arriving = slow.fetch("/api/connections/complete", {
        method: "POST",
        headers: { authorization: `Bearer ${person.token}`, "content-type": "application/json" },
        body: JSON.stringify(goodAnswer(begun, provider)),
      });
      await Promise.race([reached.promise, arriving]);
      const deleting = createInstance(budget, (runtime) => ({
        ...runtime,
        deleteIdentity: async () => when === "behind",
      }));
      const deletion = await deleting.fetch("/api/account", {
        method: "DELETE",
        headers: { authorization: `Bearer ${person.token}`, "content-type": "application/json" },
        body: JSON.stringify(confirm),
      });
      const expected = when === "behind" ? "erased" : "erasing";
      expect(deleted.parse(await deletion.json()).status).toBe(expected);
      const before = (await provider.requests("/revoke")).length;
      held.resolve();
      expect((await arriving).status).toBeGreaterThanOrEqual(400);
      expect((await provider.requests("/revoke")).length).toBe(before + 1);
      await edit(instance.env, "UPDATE erasures SET next_at = 1 WHERE next_at IS NOT NULL");
      await edit(instance.env, "UPDATE erased_connections SET sweep_at = 1");
      await instance.cron("* * * * *");
      const rest = await atRest();
      for (const name of [person.name, workspace]) expect(rest).not.toContain(name);
    },
  );

  it("T89 nothing comes to life while the deletion runs, and what did all the same is revoked", async () => {
    const person = await createPerson(instance);
    const provider = await createProvider(hostile);
    const { id } = await signIn(person, provider, { storage: "managed" });
    const { workspace_id: workspace } = await identify(person);
    const { stores } = await instance.runtime();
    await edit(instance.env, "UPDATE workspaces SET erasing_at = 1 WHERE id = ?1", workspace);
    expect(await stores.grants.takeOver(id, 60_000)).toBeNull();
    // Still active, as if a worker without that condition had let it in behind the beginning.
    await edit(
      instance.env,
      "INSERT INTO erasures (person, workspace_id, started_at, next_at) VALUES ('p', ?1, 1, 1)",
      workspace,
    );
    await instance.cron("* * * * *");
    expect(await provider.requests("/revoke")).toHaveLength(1);
    expect(await atRest()).not.toContain(workspace);
  });

  it("T89 an owner whose answer was lost may ask again, and is told of what is still being asked", async () => {
    const person = await createPerson(instance);
    const provider = await createProvider(hostile);
    for (let at = 0; at < 2; at++) await signIn(person, provider, { storage: "managed" });
    const small = createInstance({ BACKGROUND_BUDGET: "1" });
    const headers = { authorization: `Bearer ${person.token}`, "content-type": "application/json" };
    const ask = async () =>
      await small.fetch("/api/account", { method: "DELETE", headers, body: JSON.stringify(confirm) });
    const first = await ask();
    expect(first.status).toBe(202);
    expect(deleted.parse(await first.json()).left_at_services).toMatchObject([
      { kind: "oauth", connections: 1 },
    ]);
    await problemOf(await person.call("GET", "/api/me"), "account_erasing");
    const answer = await ask();
    expect(answer.status).toBe(200);
    expect(deleted.parse(await answer.json())).toEqual({ status: "erased", left_at_services: [] });
  });

  it("T89 goes on where it was stopped; meanwhile nothing of the account works", async () => {
    const person = await createPerson(instance);
    const { paths } = await everythingOf(person);
    const { id } = await identify(person);
    const stubborn = createInstance(budget, (runtime) => ({ ...runtime, deleteIdentity: async () => false }));
    const answer = await stubborn.fetch("/api/account", {
      method: "DELETE",
      headers: { authorization: `Bearer ${person.token}`, "content-type": "application/json" },
      body: JSON.stringify(confirm),
    });
    expect(answer.status).toBe(202);
    expect(deleted.parse(await answer.json()).status).toBe("erasing");
    expect(await atRest()).toContain(id);
    await problemOf(await person.call("GET", "/api/me"), "account_erasing");
    for (const path of paths) expect((await instance.fetch(path, { method: "GET" })).status).toBe(404);
    await instance.cron("* * * * *");
    expect(await atRest(), "another run is at it").toContain(id);
    await edit(instance.env, "UPDATE erasures SET next_at = 1 WHERE next_at IS NOT NULL");
    await instance.cron("* * * * *");
    expect(await atRest()).not.toContain(id);
  });

  it("T89 a storage that fails half-way is gone on with too", async () => {
    const person = await createPerson(instance);
    await everythingOf(person);
    const { id } = await identify(person);
    let left = 2;
    const failing = createInstance(budget, (runtime) => ({
      ...runtime,
      stores: {
        ...runtime.stores,
        blobs: {
          ...runtime.stores.blobs,
          keysOf: async (connection) => {
            left -= 1;
            if (left < 0) throw new TypeError("KV is away");
            return await runtime.stores.blobs.keysOf(connection);
          },
        },
      },
    }));
    const headers = { authorization: `Bearer ${person.token}`, "content-type": "application/json" };
    const answer = await failing.fetch("/api/account", {
      method: "DELETE",
      headers,
      body: JSON.stringify(confirm),
    });
    expect(answer.status).toBe(202);
    await edit(instance.env, "UPDATE erasures SET next_at = 1 WHERE next_at IS NOT NULL");
    await edit(instance.env, "UPDATE erased_connections SET sweep_at = 1");
    await instance.cron("* * * * *");
    expect(await atRest()).not.toContain(id);
  });

  it("wants its confirmation in words", async () => {
    const person = await createPerson(instance);
    for (const body of [{}, { confirm: "yes" }, { confirm: true }]) {
      await problemOf(await person.call("DELETE", "/api/account", body), "invalid_request");
    }
    expect((await person.call("GET", "/api/me")).status).toBe(200);
  });
});

describe("DELETE /api/connections/:id?purge=now", () => {
  it("deletes the connection and all that hangs on it, on record", async () => {
    const person = await createPerson(instance);
    const provider = await createProvider(hostile);
    const made = await signIn(person, provider, { storage: "managed" });
    await instance.fetch(made.secretPath, rpcCall());
    const answer = await person.call("DELETE", `/api/connections/${made.id}?purge=now`);
    expect(await answer.json()).toMatchObject({ purged: true, revocation: { outcome: "revoked" } });
    await problemOf(await person.call("GET", `/api/connections/${made.id}`), "unknown_connection");
    expect((await instance.fetch(made.secretPath, { method: "GET" })).status).toBe(404);
    const { tables, kv } = await dump(instance.env);
    expect(Object.keys(kv).filter((name) => name.includes(made.id))).toEqual([]);
    for (const name of ["connections", "usage_days", "superseded_blobs"]) {
      expect(JSON.stringify(tables[name])).not.toContain(made.id);
    }
    const events = await (await person.call("GET", `/api/events?connection=${made.id}`)).text();
    expect(events).toContain('"type":"connection_purged"');
    expect(events).toContain('"outcome":"revoked"');
  });

  it("a user-held grant is revoked where its credential comes along, also after it was disconnected", async () => {
    const person = await createPerson(instance);
    const provider = await createProvider(hostile);
    const made = await signIn(person, provider);
    await person.call("DELETE", `/api/connections/${made.id}`);
    const headers = { "bindify-credential": made.apiKey };
    const answer = await person.call("DELETE", `/api/connections/${made.id}?purge=now`, undefined, headers);
    expect(await answer.json()).toMatchObject({ purged: true, revocation: { outcome: "revoked" } });
    expect(await provider.requests("/revoke")).toHaveLength(1);
  });

  it("what was disconnected before and nobody opens is told to be left, not to wait", async () => {
    const person = await createPerson(instance);
    const made = await signIn(person, await createProvider(hostile));
    await person.call("DELETE", `/api/connections/${made.id}`);
    const answer = await person.call("DELETE", `/api/connections/${made.id}?purge=now`);
    expect(await answer.json()).toMatchObject({ purged: true, revocation: { outcome: "failed" } });
  });

  it("a managed grant whose provider was away is asked for once more", async () => {
    const person = await createPerson(instance);
    const provider = await createProvider(hostile);
    const made = await signIn(person, provider, { storage: "managed" });
    await provider.answer("POST /revoke", { status: 503, json: {} });
    const first = await person.call("DELETE", `/api/connections/${made.id}`);
    expect(await first.json()).toMatchObject({ revocation: { outcome: "pending" } });
    await provider.answer("POST /revoke", { json: {} });
    const answer = await person.call("DELETE", `/api/connections/${made.id}?purge=now`);
    expect(await answer.json()).toMatchObject({ purged: true, revocation: { outcome: "revoked" } });
  });

  it("what was connected again meanwhile is not deleted", async () => {
    const person = await createPerson(instance);
    const made = await signIn(person, await createProvider(hostile), { storage: "managed" });
    const headers = { authorization: `Bearer ${person.token}` };
    const late = createInstance(budget, (runtime) => {
      const { erasures } = runtime.stores;
      const beginPurge: typeof erasures.beginPurge = async (workspace, id) => {
        const back = "UPDATE connections SET status = 'active', disconnected_at = NULL WHERE id = ?1";
        await edit(instance.env, back, id);
        return await erasures.beginPurge(workspace, id);
      };
      return { ...runtime, stores: { ...runtime.stores, erasures: { ...erasures, beginPurge } } };
    });
    const answer = await late.fetch(`/api/connections/${made.id}?purge=now`, { method: "DELETE", headers });
    await problemOf(answer, "connection_in_use");
    expect((await person.call("GET", `/api/connections/${made.id}`)).status).toBe(200);
  });

  it("T82 not somebody else's", async () => {
    const [owner, stranger] = [await createPerson(instance), await createPerson(instance)];
    const { id } = await owner.connect({ url: upstream().url });
    await problemOf(await stranger.call("DELETE", `/api/connections/${id}?purge=now`), "unknown_connection");
    expect((await owner.call("GET", `/api/connections/${id}`)).status).toBe(200);
  });
});

const askClerk = async (status: number | null, issuer = "https://clerk.example") => {
  const asked: string[] = [];
  const remove = clerkUserDeletion(
    { secretKey: "sk_1", issuer: "https://clerk.example" },
    async (url, { method, headers }) => {
      asked.push(`${method} ${url} ${new Headers(headers).get("authorization")}`);
      if (status === null) throw new OutboundError("unreachable");
      return new Response("{}", { status });
    },
  );
  return { done: await remove({ issuer, subject: "user_1/x" }), asked };
};

describe("the person at Clerk", () => {
  it("is deleted, and one that is gone counts as deleted", async () => {
    const asked = ["DELETE https://api.clerk.com/v1/users/user_1%2Fx Bearer sk_1"];
    expect(await askClerk(200)).toEqual({ done: true, asked });
    expect(await askClerk(404)).toEqual({ done: true, asked });
    for (const status of [401, 429, 500, null])
      expect(await askClerk(status)).toEqual({ done: false, asked });
  });

  it("of another issuer is left alone", async () => {
    expect(await askClerk(200, "urn:bindify:local")).toEqual({ done: true, asked: [] });
  });
});
