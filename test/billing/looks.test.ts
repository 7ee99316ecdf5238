import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { rpcCall, rpcErrorOf } from "../support/answers.ts";
import { createPerson } from "../support/person.ts";
import { age, openShop, type Buyer } from "../support/shop.ts";
import { edit } from "../support/storage.ts";
import { upstream } from "../support/upstream.ts";

/** Each asks the double, the database and the service several times over. */
const minute = 60_000;

const nextLook = async (buyer: Buyer) =>
  await env.DB.prepare("SELECT settle_at - unixepoch('subsec') * 1000 AS ms FROM workspaces WHERE id = ?1")
    .bind(buyer.workspace)
    .first<number>("ms");

describe("the job", () => {
  it("asks after a checkout although the page was looked at meanwhile, and no webhook came", async () => {
    const shop = await openShop();
    const buyer = await shop.customer();
    await buyer.checkout(2);
    await edit(env, "UPDATE subscriptions SET fetched_at = 1 WHERE workspace_id = ?1", buyer.workspace);
    expect(await buyer.billing()).toMatchObject({ plan: { name: "none" } });
    const next = await nextLook(buyer);
    expect(next).toBeGreaterThan(50 * minute);
    expect(next).toBeLessThanOrEqual(60 * minute);
  });

  it("sees to the limit where whoever made two at once for one place did not get to it", async () => {
    const services = [upstream(), upstream()];
    // Both are on their way before either is stored.
    const [both, asked] = [Promise.withResolvers<void>(), new Set<string>()];
    const shop = await openShop({}, (runtime) => ({
      ...runtime,
      room: { ...runtime.room, settle: async () => await Promise.reject(new Error("cut off")) },
      outbound: async (url, request) => {
        if (services.some((service) => service.url === url)) asked.add(url);
        if (asked.size === services.length) both.resolve();
        if (asked.has(url)) await both.promise;
        return await runtime.outbound(url, request);
      },
    }));
    const buyer = await shop.customer();
    await buyer.buy(1);
    await shop.deliverAll();
    await Promise.all(
      services.map(async ({ url }) => {
        const body = { service: "custom", url, fields: { api_key: "good-key" } };
        return await buyer.call("POST", "/api/connections", body);
      }),
    );
    expect(await buyer.statuses()).toEqual(["active", "active"]);
    await shop.instance.cron("* * * * *");
    expect(await buyer.statuses()).toEqual(["active", "suspended"]);
  });

  it("stops where Stripe does not answer, and comes back to all of them", async () => {
    const shop = await openShop();
    const buyers = [await shop.customer(), await shop.customer(), await shop.customer()];
    for (const buyer of buyers) await buyer.checkout(1);
    await edit(env, "UPDATE workspaces SET settle_at = NULL");
    for (const buyer of buyers)
      await edit(env, "UPDATE workspaces SET settle_at = 1 WHERE id = ?1", buyer.workspace);
    const before = (await shop.calls()).length;
    await shop.say({ do: "fail", times: 10 });
    await shop.instance.cron("* * * * *");
    expect((await shop.calls()).length - before).toBe(1);
    for (const buyer of buyers) {
      const next = await nextLook(buyer);
      expect(next).toBeGreaterThan(5 * minute);
      expect(next).toBeLessThanOrEqual(10 * minute);
    }
  });
});

describe("a workspace of which nobody has written the plan down yet", () => {
  it("keeps its events as long as a trial does", async () => {
    const shop = await openShop();
    const person = await createPerson(shop.instance);
    expect(await (await person.call("GET", "/api/me")).json()).toMatchObject({ audit_days: 30 });
    const { results } = await env.DB.prepare(
      "SELECT e.keep_until - e.at AS ms FROM audit_events e WHERE e.workspace_id = (SELECT workspace_id FROM users WHERE subject = ?1)",
    )
      .bind(person.name)
      .all<{ ms: number }>();
    expect(results.length).toBeGreaterThan(0);
    for (const { ms } of results) expect(ms).toBe(30 * 1440 * minute);
  });
});

describe("re-authorising a suspended connection", () => {
  it("leaves it suspended and its address and key as they are, and paying brings it back", async () => {
    const shop = await openShop();
    const buyer = await shop.customer();
    await age(buyer.workspace, -6 * 1440 * minute);
    const connection = await buyer.connect({ url: upstream().url });
    await age(buyer.workspace, 6 * 1440 * minute);
    await shop.instance.cron("* * * * *");
    expect(await buyer.statuses()).toEqual(["suspended"]);
    const answer = await buyer.call("POST", "/api/connections", {
      service: "custom",
      url: upstream().url,
      fields: { api_key: "good-key" },
      reauthorize: connection.id,
      credential: connection.text,
    });
    expect(answer.status).toBeLessThan(300);
    expect(await answer.json()).toMatchObject({ connection: { status: "suspended" }, credential: null });
    expect(await buyer.statuses()).toEqual(["suspended"]);
    await rpcErrorOf(await shop.instance.fetch(connection.secretPath, rpcCall()), "connection_suspended");
    await buyer.buy(1);
    await shop.deliverAll();
    expect((await shop.instance.fetch(connection.secretPath, rpcCall())).status).toBe(200);
  });
});
