import { describe, expect, it } from "vitest";
import { problemOf } from "../support/answers.ts";
import { openShop, type Buyer, type Shop } from "../support/shop.ts";

/** Each asks the double, the database and the service several times over. */
const days = (count: number) => count * 86_400;

const change = async (buyer: Buyer, body: object) => await buyer.call("POST", "/api/billing/quantity", body);

/** Somebody whose renewal was not paid so many days ago. */
async function owing(since: number): Promise<{ shop: Shop; buyer: Buyer; subscription: string }> {
  const shop = await openShop();
  const buyer = await shop.customer();
  const subscription = await buyer.buy(5);
  await shop.say({ do: "advance", seconds: -days(since) });
  await shop.say({ do: "change", subscription, what: "miss" });
  await shop.say({ do: "advance", seconds: days(since) });
  await shop.deliverAll();
  return { shop, buyer, subscription };
}

describe("a payment that was refused", () => {
  it("goes through with another card, the same quantity and no date", async () => {
    const shop = await openShop();
    const buyer = await shop.customer();
    await buyer.buy(2);
    await shop.say({ do: "decline", on: true });
    await problemOf(await change(buyer, { quantity: 5 }), "payment_refused");
    await problemOf(await change(buyer, { quantity: 5 }), "payment_refused");
    await shop.say({ do: "decline", on: false });
    const answer = await change(buyer, { quantity: 5 });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ plan: { allowed: 5 } });
  });
});

describe("what is owed", () => {
  it("is paid before the quantity changes", async () => {
    const { shop, buyer, subscription } = await owing(1);
    expect(await buyer.plan()).toMatchObject({ name: "past_due", allowed: 5 });
    for (const quantity of [4, 6]) {
      await problemOf(await change(buyer, { quantity }), "payment_overdue");
      await problemOf(await change(buyer, { quantity, preview: true }), "payment_overdue");
    }
    await shop.say({ do: "change", subscription, what: "pay" });
    // The double begins the period that was missed where the one before ends.
    await shop.say({ do: "advance", seconds: days(31) });
    expect((await change(buyer, { quantity: 4 })).status).toBe(200);
  });

  it("counts from the oldest invoice: a credit, a change or a new period gives no more days", async () => {
    const { shop, buyer, subscription } = await owing(4);
    const overdue = { name: "none", allowed: 0, reason: "payment_overdue" };
    expect(await buyer.plan()).toMatchObject(overdue);
    await shop.say({ do: "quantity", subscription, quantity: 4 });
    await shop.deliverAll();
    expect(await buyer.plan()).toMatchObject(overdue);
    await shop.say({ do: "change", subscription, what: "miss" });
    await shop.say({ do: "change", subscription, what: "give_up" });
    await shop.deliverAll();
    expect(await buyer.plan()).toMatchObject(overdue);
  });

  it("is not paid for by a credit when the subscription is ended", async () => {
    const { shop, buyer, subscription } = await owing(4);
    await shop.say({ do: "quantity", subscription, quantity: 1 });
    await shop.say({ do: "change", subscription, what: "cancel" });
    await shop.deliverAll();
    expect(await buyer.plan()).toMatchObject({ name: "none", reason: "subscription_ended" });
  });

  it("of one that was paid and ended early is nothing: it lasts until its period ends", async () => {
    const shop = await openShop();
    const buyer = await shop.customer();
    const subscription = await buyer.buy(3);
    await change(buyer, { quantity: 2 });
    await shop.say({ do: "change", subscription, what: "cancel" });
    await shop.deliverAll();
    expect(await buyer.plan()).toMatchObject({ name: "cancelled", allowed: 2 });
  });
});
