import { env } from "cloudflare:workers";
import { inject, describe, expect, it } from "vitest";
import { problemOf, rpcCall, rpcErrorOf } from "../support/answers.ts";
import { countedEnv } from "../support/counting.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson } from "../support/person.ts";
import { createProvider } from "../support/provider.ts";
import { age, openShop, type Buyer } from "../support/shop.ts";
import { begin, finish, goodAnswer } from "../support/sign-in.ts";
import { edit, inventory } from "../support/storage.ts";
import { upstream } from "../support/upstream.ts";

/** Each asks the double, the database and the service several times over. */
const shop = await openShop();
const day = 86_400_000;

const typesOf = async (workspace: string): Promise<readonly string[]> => {
  // The minute job gives them their places; until then they wait.
  const { results } = await env.DB.prepare(
    `SELECT type FROM audit_events WHERE workspace_id = ?1 AND actor = 'system'
     UNION ALL SELECT type FROM audit_queue WHERE workspace_id = ?1`,
  )
    .bind(workspace)
    .all<{ type: string }>();
  return results.map(({ type }) => type);
};

/** Somebody in the trial, with connections. */
async function onTrial(count: number): Promise<Buyer & { readonly paths: readonly string[] }> {
  const buyer = await shop.customer();
  await age(buyer.workspace, -6 * day);
  const all = await buyer.connectMany(count);
  return { ...buyer, paths: all.map(({ secretPath }) => secretPath) };
}

const call = async (path = "") => await shop.instance.fetch(path, rpcCall());

describe("the trial", () => {
  it("limits nothing, and its end takes effect at once, before any job has run", async () => {
    const buyer = await onTrial(2);
    expect(await buyer.plan()).toMatchObject({ name: "trial", allowed: null });
    expect((await call(buyer.paths[0])).status).toBe(200);
    await edit(
      env,
      "UPDATE workspaces SET created_at = created_at - ?2 WHERE id = ?1",
      buyer.workspace,
      5 * day,
    );
    const { error } = await rpcErrorOf(await call(buyer.paths[0]), "connection_suspended");
    expect(error.message).toContain(`${env.PUBLIC_URL}/#/billing`);
    expect(await buyer.statuses(), "nobody has written so yet").toEqual(["active", "active"]);
    const refused = await buyer.call("POST", "/api/connections", {
      service: "custom",
      url: upstream().url,
      fields: { api_key: "good-key" },
    });
    const problem = await problemOf(refused, "connection_limit");
    expect(problem.detail).toContain(`${env.PUBLIC_URL}/#/billing`);
  });

  it("its end suspends all when the job comes, deletes nothing, and is said once", async () => {
    const buyer = await onTrial(2);
    await age(buyer.workspace, 6 * day);
    await shop.instance.cron("* * * * *");
    expect(await buyer.statuses()).toEqual(["suspended", "suspended"]);
    const said = await typesOf(buyer.workspace);
    expect(said.filter((type) => type === "connection_suspended")).toHaveLength(2);
    expect(said.filter((type) => type === "plan_changed")).toHaveLength(1);
    await edit(env, "UPDATE workspaces SET settle_at = 0 WHERE id = ?1", buyer.workspace);
    await shop.instance.cron("* * * * *");
    expect(await typesOf(buyer.workspace)).toEqual(said);
  });

  it("is as long as the operator says", async () => {
    const short = await openShop({ TRIAL_DAYS: "1" });
    const buyer = await short.customer();
    await age(buyer.workspace, -6 * day);
    expect((await buyer.plan()).name).toBe("trial");
    await age(buyer.workspace, day);
    expect((await buyer.plan()).name).toBe("none");
  });
});

describe("over the limit", () => {
  it("the newest are suspended, and paying again restores them, the oldest first", async () => {
    const buyer = await onTrial(4);
    await age(buyer.workspace, 6 * day);
    const subscription = await buyer.buy(2);
    await shop.deliverAll();
    expect(await buyer.statuses()).toEqual(["active", "active", "suspended", "suspended"]);
    expect((await call(buyer.paths[1])).status).toBe(200);
    await rpcErrorOf(await call(buyer.paths[2]), "connection_suspended");
    const steps: readonly (readonly [number, readonly string[]])[] = [
      [3, ["active", "active", "active", "suspended"]],
      [1, ["active", "suspended", "suspended", "suspended"]],
      [9, ["active", "active", "active", "active"]],
    ];
    for (const [quantity, statuses] of steps) {
      const answer = await buyer.call("POST", "/api/billing/quantity", { quantity });
      expect(answer.status).toBe(200);
      expect(await buyer.statuses()).toEqual(statuses);
    }
    expect((await call(buyer.paths[3])).status).toBe(200);
    await shop.say({ do: "change", subscription, what: "fail_out" });
    await shop.deliverAll();
    const resumed = (await typesOf(buyer.workspace)).filter((type) => type === "connection_resumed");
    expect(resumed.length).toBeGreaterThan(2);
  });

  it("the background leaves what is suspended alone, and looks at what comes back at once", async () => {
    const buyer = await onTrial(1);
    const person = { service: "custom", url: upstream().url, fields: { api_key: "good-key" } };
    await buyer.call("POST", "/api/connections", { ...person, storage: "managed" });
    const waits = async (): Promise<readonly (number | null)[]> => {
      const { results } = await env.DB.prepare(
        `SELECT due_at - unixepoch('subsec') * 1000 AS ms FROM connections WHERE workspace_id = ?1
         ORDER BY created_at, id`,
      )
        .bind(buyer.workspace)
        .all<{ ms: number | null }>();
      return results.map(({ ms }) => ms);
    };
    await age(buyer.workspace, 6 * day);
    await shop.instance.cron("* * * * *");
    expect(await buyer.statuses()).toEqual(["suspended", "suspended"]);
    const [held, managed] = await waits();
    expect(held, "nobody but its holder can look at it").toBeNull();
    expect(managed).toBeGreaterThan(day / 2);
    await buyer.buy(2);
    await shop.deliverAll();
    expect(await buyer.statuses()).toEqual(["active", "active"]);
    const [stillHeld, restored] = await waits();
    expect(stillHeld).toBeNull();
    expect(restored).toBeLessThanOrEqual(0);
  });

  it("one that was disconnected makes room, and does not come back by itself", async () => {
    const buyer = await onTrial(3);
    await age(buyer.workspace, 6 * day);
    await buyer.buy(2);
    await shop.deliverAll();
    const { connections } = await (
      await buyer.call("GET", "/api/connections")
    ).json<{
      connections: { id: string }[];
    }>();
    await buyer.call("DELETE", `/api/connections/${connections.at(-1)?.id ?? ""}`);
    await edit(env, "UPDATE workspaces SET settle_at = 0 WHERE id = ?1", buyer.workspace);
    await shop.instance.cron("* * * * *");
    expect(await buyer.statuses()).toEqual(["disconnected", "active", "active"]);
  });

  it("nothing more is connected, whatever the way, and nothing is asked of the service", async () => {
    const buyer = await shop.customer();
    await buyer.buy(1);
    await shop.deliverAll();
    const [own] = await buyer.connectMany(1);
    const service = upstream();
    const body = { service: "custom", url: service.url, fields: { api_key: "good-key" } };
    await problemOf(await buyer.call("POST", "/api/connections", body), "connection_limit");
    await problemOf(
      await buyer.call("POST", "/api/connections/authorize", { service: "custom", url: service.url }),
      "connection_limit",
    );
    expect(await service.requests()).toEqual([]);
    const again = await buyer.call("POST", "/api/connections", { ...body, reauthorize: own?.id });
    expect(again.status, "one that counts already needs no room").toBe(201);
    await buyer.call("DELETE", `/api/connections/${own?.id ?? ""}`);
    await buyer.connectMany(1);
    const back = await buyer.call("POST", "/api/connections", { ...body, reauthorize: own?.id });
    await problemOf(back, "connection_limit");
  });

  it("of two that are made at once for one place, one runs", async () => {
    const buyer = await shop.customer();
    await buyer.buy(1);
    await shop.deliverAll();
    const body = { service: "custom", url: upstream().url, fields: { api_key: "good-key" } };
    await Promise.all([1, 2].map(async () => await buyer.call("POST", "/api/connections", body)));
    expect((await buyer.statuses()).filter((status) => status === "active")).toHaveLength(1);
  });
});

describe("T45 a sign-in that was begun in time", () => {
  it("is refused where the plan has ended meanwhile: no token request, nothing stored", async () => {
    const buyer = await onTrial(0);
    const provider = await createProvider(inject("hostileUrl"));
    const begun = await begin(buyer, { service: "custom", url: provider.mcpUrl });
    await age(buyer.workspace, 6 * day);
    const before = await inventory(env);
    await problemOf(await finish(buyer, goodAnswer(begun, provider)), "connection_limit");
    expect(await buyer.statuses()).toEqual([]);
    expect(await provider.requests("/token")).toEqual([]);
    const after = await inventory(env);
    expect({ ...after, flows: 0 }).toEqual({ ...before, flows: 0 });
  });
});

describe("a missed payment", () => {
  it("has three days of grace, told once, and then everything is suspended until it is paid", async () => {
    const buyer = await shop.customer();
    const subscription = await buyer.buy(2);
    await shop.deliverAll();
    const [first] = await buyer.connectMany(2);
    await shop.say({ do: "change", subscription, what: "miss" });
    await shop.deliverAll();
    expect(await buyer.plan()).toMatchObject({ name: "past_due", allowed: 2, reason: "payment_missing" });
    expect((await call(first?.secretPath)).status).toBe(200);
    await edit(
      env,
      "UPDATE subscriptions SET past_due_since = past_due_since - ?2 WHERE workspace_id = ?1",
      buyer.workspace,
      3 * day,
    );
    await rpcErrorOf(await call(first?.secretPath), "connection_suspended");
    expect(await buyer.plan()).toMatchObject({ name: "none", reason: "payment_overdue" });
    await shop.say({ do: "change", subscription, what: "pay" });
    await edit(env, "UPDATE workspaces SET settle_at = 0 WHERE id = ?1", buyer.workspace);
    await shop.instance.cron("* * * * *");
    expect(await buyer.plan(), "the job asks Stripe, no webhook came").toMatchObject({ name: "active" });
    expect((await call(first?.secretPath)).status).toBe(200);
  });

  it("whose end was only not told to us is found by the job before the grace ends", async () => {
    const buyer = await shop.customer();
    const subscription = await buyer.buy(1);
    await shop.say({ do: "change", subscription, what: "miss" });
    await shop.deliverAll();
    const next = await env.DB.prepare(
      "SELECT settle_at - unixepoch('subsec') * 1000 AS ms FROM workspaces WHERE id = ?1",
    )
      .bind(buyer.workspace)
      .first<number>("ms");
    expect(next).toBeLessThan(6.1 * 3_600_000);
  });
});

describe("a renewal of which we heard nothing", () => {
  it("cuts nobody off, also while Stripe does not answer the job", async () => {
    const own = await openShop();
    const buyer = await own.customer();
    await buyer.buy(1);
    await own.deliverAll();
    const [connection] = await buyer.connectMany(1);
    await edit(env, "UPDATE subscriptions SET period_end = 1 WHERE workspace_id = ?1", buyer.workspace);
    await edit(env, "UPDATE workspaces SET settle_at = 1 WHERE id = ?1", buyer.workspace);
    await own.say({ do: "fail", times: 50 });
    await own.instance.cron("* * * * *");
    expect((await own.instance.fetch(connection?.secretPath ?? "", rpcCall())).status).toBe(200);
    await own.say({ do: "fail", times: 0 });
    await edit(env, "UPDATE workspaces SET settle_at = 1 WHERE id = ?1", buyer.workspace);
    await own.instance.cron("* * * * *");
    expect((await buyer.billing()).subscription?.current_period_end).not.toBe("1970-01-01T00:00:00.001Z");
  });
});

describe("billing that is switched off", () => {
  it("gives back what it had suspended", async () => {
    const buyer = await onTrial(1);
    await age(buyer.workspace, 6 * day);
    await shop.instance.cron("* * * * *");
    expect(await buyer.statuses()).toEqual(["suspended"]);
    const plain = createInstance({ BACKGROUND_BUDGET: "50" });
    await plain.cron("* * * * *");
    expect(await buyer.statuses()).toEqual(["active"]);
    expect((await plain.fetch(buyer.paths[0] ?? "", rpcCall())).status).toBe(200);
  });
});

describe("the cost of it", () => {
  it("a call stays at one D1 read", async () => {
    const ledger = countedEnv();
    const own = await openShop(ledger.env);
    const person = await createPerson(own.instance);
    const { secretPath } = await person.connect({ url: upstream().url });
    await own.instance.fetch(secretPath, rpcCall());
    ledger.take();
    const answer = await own.instance.fetch(secretPath, rpcCall());
    await answer.body?.cancel();
    expect([answer.status, ledger.take()]).toEqual([200, "d1:first"]);
  });
});
