import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { problemOf } from "../support/answers.ts";
import { captureConsole } from "../support/capture.ts";
import { openShop, sign, type Buyer, type Shop, type ShopEvent } from "../support/shop.ts";
import { dump, inventory } from "../support/storage.ts";

/** Each asks the double, the database and the service several times over. */
const shop = await openShop();

/** Somebody who paid, and the event of it that nobody has delivered yet. */
async function paid(quantity = 2): Promise<{ buyer: Buyer; event: ShopEvent; subscription: string }> {
  const buyer = await shop.customer();
  const subscription = await buyer.buy(quantity);
  const event = (await shop.events()).findLast(({ type }) => type === "customer.subscription.created");
  if (event === undefined) throw new Error("nothing was told");
  return { buyer, event, subscription };
}

async function rows<T>(sql: string, ...values: string[]): Promise<readonly T[]> {
  return (
    await env.DB.prepare(sql)
      .bind(...values)
      .all<T>()
  ).results;
}

const stored = async (buyer: Buyer) =>
  await rows("SELECT * FROM subscriptions WHERE workspace_id = ?1", buyer.workspace);

const now = () => Math.floor(Date.now() / 1000);

describe("T84 an event that is not as Stripe signed it", () => {
  const refusals: readonly (readonly [string, (shop: Shop, event: ShopEvent) => Promise<Response>])[] = [
    ["unsigned", async ({ deliver }, event) => await deliver(event, { signature: null })],
    ["with an empty signature", async ({ deliver }, event) => await deliver(event, { signature: "" })],
    [
      "signed by somebody else",
      async ({ deliver }, event) => await deliver(event, { secret: "whsec_somebodyelse" }),
    ],
    ["six minutes old", async ({ deliver }, event) => await deliver(event, { timestamp: now() - 360 })],
    [
      "serialised again",
      async ({ deliver, secret }, event) =>
        await deliver(event, {
          body: JSON.stringify(event),
          signature: await sign(JSON.stringify(event, null, 2), secret),
        }),
    ],
    [
      "changed",
      async ({ deliver }, event) =>
        await deliver(event, { body: JSON.stringify({ ...event, id: "evt_other" }, null, 2) }),
    ],
    [
      "of the test scheme only",
      async ({ deliver, secret }, event) => {
        const signature = (await sign(JSON.stringify(event, null, 2), secret)).replace("v1=", "v0=");
        return await deliver(event, { signature });
      },
    ],
    [
      "not text",
      async ({ instance }) => {
        const body = new Uint8Array([0xff, 0xfe]);
        return await instance.fetch("/webhooks/stripe", {
          method: "POST",
          body,
          headers: { "stripe-signature": "t=1,v1=00" },
        });
      },
    ],
  ];

  it.each(refusals)("%s is 400, asks nobody and writes nothing", async (_, send) => {
    const { event } = await paid();
    const [before, asked] = [await dump(env), (await shop.calls()).length];
    await problemOf(await send(shop, event), "webhook_refused");
    expect(await dump(env)).toEqual(before);
    expect((await shop.calls()).length).toBe(asked);
    expect((await shop.deliver(event)).status, "as it was signed it is taken in").toBe(200);
    expect(await dump(env)).not.toEqual(before);
  });

  it("of several v1 signatures one that fits is enough: the secret is being rolled", async () => {
    const { event, buyer } = await paid();
    const payload = JSON.stringify(event, null, 2);
    const at = Math.floor(Date.now() / 1000);
    const good = await sign(payload, shop.secret, at);
    const signature = `${await sign(payload, "whsec_other", at)},${good.split(",")[1] ?? ""}`;
    expect((await shop.deliver(event, { signature })).status).toBe(200);
    expect((await buyer.plan()).name).toBe("active");
  });

  it("a body that is too large is 413 and not kept", async () => {
    const before = await inventory(env);
    const answer = await shop.instance.fetch("/webhooks/stripe", {
      method: "POST",
      body: new Uint8Array(600 * 1024),
      headers: { "stripe-signature": "t=1,v1=00" },
    });
    await problemOf(answer, "payload_too_large");
    expect(await inventory(env)).toEqual(before);
  });
});

describe("an event that changes nothing here", () => {
  it("of a type that we do not know is 200 and leaves nothing", async () => {
    const { event } = await paid();
    const before = await dump(env);
    const answer = await shop.deliver({ ...event, type: "customer.something.new" });
    expect([answer.status, await answer.json()]).toEqual([200, { outcome: "ignored" }]);
    expect(await dump(env)).toEqual(before);
  });

  it.each([
    ["of somebody else's customer", { object: { id: "sub_1", customer: "cus_unknown" } }],
    ["without a customer", { object: { id: "sub_1" } }],
    ["of an odd shape", { object: 7 }],
  ])("%s is 200 and leaves nothing", async (_, data) => {
    const { event } = await paid();
    const before = await dump(env);
    const answer = await shop.deliver({ ...event, data });
    expect([answer.status, await answer.json()]).toEqual([200, { outcome: "ignored" }]);
    expect(await dump(env)).toEqual(before);
  });
});

describe("T85 the same event", () => {
  it("ten times at once has one effect: one state, one audit event, one record", async () => {
    const { buyer, event } = await paid(1);
    await env.DB.prepare("DELETE FROM audit_queue WHERE workspace_id = ?1").bind(buyer.workspace).run();
    const answers = await Promise.all(Array.from({ length: 10 }, () => shop.deliver(event)));
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
    const outcomes = await Promise.all(answers.map(async (answer) => await answer.json()));
    expect(outcomes.filter((one) => JSON.stringify(one) === '{"outcome":"applied"}')).toHaveLength(1);
    expect(
      await rows("SELECT id, status, quantity FROM billing_events WHERE workspace_id = ?1", buyer.workspace),
    ).toEqual([{ id: event.id, status: "active", quantity: 1 }]);
    const changes = "SELECT detail FROM audit_queue WHERE workspace_id = ?1 AND type = 'plan_changed'";
    expect(await rows(changes, buyer.workspace)).toEqual([{ detail: '{"plan":"active","connections":1}' }]);
    const before = await stored(buyer);
    expect(await (await shop.deliver(event)).json()).toEqual({ outcome: "seen" });
    expect(await stored(buyer)).toEqual(before);
  });

  it("keeps ids and states, nothing of a payment", async () => {
    const { buyer, event } = await paid(3);
    await shop.deliver(event);
    const [row] = await rows<Record<string, unknown>>(
      "SELECT * FROM billing_events WHERE workspace_id = ?1",
      buyer.workspace,
    );
    expect(Object.keys(row ?? {}).toSorted()).toEqual(
      [
        "created_at",
        "id",
        "object_id",
        "quantity",
        "received_at",
        "status",
        "type",
        "workspace_id",
      ].toSorted(),
    );
  });

  it("is forgotten after 90 days, not before", async () => {
    const { event } = await paid();
    await shop.deliver(event);
    const { stores } = await shop.instance.runtime();
    const age = 90 * 86_400_000;
    await env.DB.prepare("UPDATE billing_events SET received_at = received_at - ?2 WHERE id = ?1")
      .bind(event.id, age - 60_000)
      .run();
    await stores.billingEvents.purge();
    expect(await stores.billingEvents.has(event.id)).toBe(true);
    await env.DB.prepare("UPDATE billing_events SET received_at = received_at - 120000 WHERE id = ?1")
      .bind(event.id)
      .run();
    expect(await stores.billingEvents.purge()).toBe(1);
    expect(await stores.billingEvents.has(event.id)).toBe(false);
  });
});

describe("T86 where Stripe does not answer", () => {
  it("the event is answered 500 and leaves nothing, and its next delivery is taken in", async () => {
    const own = await openShop();
    const buyer = await own.customer();
    await buyer.buy(2);
    const event = (await own.events()).at(-1) ?? {};
    const events = async () =>
      await rows("SELECT * FROM billing_events WHERE workspace_id = ?1", buyer.workspace);
    await own.say({ do: "fail", times: 1 });
    const capture = captureConsole();
    await problemOf(await own.deliver(event), "webhook_failed");
    capture.restore();
    expect(capture.lines).toEqual(['{"level":"warn","event":"billing_failed","error":"Error"}']);
    expect(await events()).toEqual([]);
    expect((await buyer.plan()).name).toBe("none");
    expect((await own.deliver(event)).status).toBe(200);
    expect((await buyer.plan()).name).toBe("active");
    expect(await events()).toHaveLength(1);
  });

  it("an event says nothing by itself: an old one that tells of another state brings the present one", async () => {
    const { buyer, event, subscription } = await paid(2);
    await shop.say({ do: "change", subscription, what: "cancel" });
    const gone = (await shop.events()).findLast(({ type }) => type === "customer.subscription.deleted") ?? {};
    await shop.deliver(gone);
    expect((await buyer.billing()).subscription?.status).toBe("canceled");
    await shop.deliver(event);
    expect((await buyer.billing()).subscription?.status).toBe("canceled");
  });
});
