import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { endBilling } from "../../src/billing/end.ts";
import { Fault } from "../../src/lib/fault.ts";
import { openShop, type Buyer, type Shop } from "../support/shop.ts";

/** Each asks the double, the database and the service several times over. */
const end = async (shop: Shop, buyer: Buyer): Promise<string> => {
  const runtime = await shop.instance.runtime();
  try {
    await endBilling({ workspace_id: buyer.workspace }, runtime);
    return "ended";
  } catch (error) {
    if (error instanceof Fault) return error.code;
    throw error;
  }
};

const left = async (buyer: Buyer) => {
  const count = async (table: string) =>
    await env.DB.prepare(`SELECT COUNT(*) AS n FROM ${table} WHERE workspace_id = ?1`)
      .bind(buyer.workspace)
      .first<number>("n");
  return [await count("subscriptions"), await count("billing_events")];
};

async function subscribed(): Promise<{ shop: Shop; buyer: Buyer }> {
  const shop = await openShop();
  const buyer = await shop.customer();
  await buyer.buy(2);
  await shop.deliverAll();
  return { shop, buyer };
}

describe("the end of an account", () => {
  it("T89 ends the subscription, deletes the customer and forgets both, and can be done again", async () => {
    const { shop, buyer } = await subscribed();
    expect(await end(shop, buyer)).toBe("ended");
    const { customers, subscriptions } = await shop.objects();
    expect(customers).toMatchObject([{ deleted: true }]);
    expect(subscriptions).toMatchObject([{ status: "canceled" }]);
    expect(await left(buyer)).toEqual([0, 0]);
    expect(await end(shop, buyer)).toBe("ended");
    await shop.deliverAll();
    expect(await left(buyer), "events of somebody who is gone leave nothing").toEqual([0, 0]);
  });

  it.each([1, 2, 3])("T89 goes on where it stopped: Stripe's answer %i is missing", async (nth) => {
    const { shop, buyer } = await subscribed();
    const runtime = await shop.instance.runtime();
    const { billing } = runtime;
    if (billing === undefined) throw new Error("no billing");
    let asked = 0;
    const step = (): void => {
      asked += 1;
      if (asked === nth) throw new Error("cut off");
    };
    const stripe = async () => {
      const client = await billing.stripe();
      const { subscriptions, customers } = client;
      const [list, cancel, del] = [
        subscriptions.list.bind(subscriptions),
        subscriptions.cancel.bind(subscriptions),
        customers.del.bind(customers),
      ];
      subscriptions.list = (...given) => (step(), list(...given));
      subscriptions.cancel = (...given) => (step(), cancel(...given));
      customers.del = (...given) => (step(), del(...given));
      return client;
    };
    const cut = endBilling(
      { workspace_id: buyer.workspace },
      { ...runtime, billing: { ...billing, stripe } },
    );
    await expect(cut).rejects.toThrow("cut off");
    expect((await left(buyer))[0], "still known, so that it can be begun again").toBe(1);
    expect(await end(shop, buyer)).toBe("ended");
    expect((await shop.objects()).customers).toMatchObject([{ deleted: true }]);
    expect(await left(buyer)).toEqual([0, 0]);
  });

  it("fails where Stripe cannot be asked: nobody goes on paying for an account that is gone", async () => {
    const { shop, buyer } = await subscribed();
    await shop.say({ do: "fail", times: 10 });
    expect(await end(shop, buyer)).toBe("billing_unavailable");
    const runtime = await shop.instance.runtime();
    const off = endBilling({ workspace_id: buyer.workspace }, { ...runtime, billing: undefined });
    await expect(off).rejects.toMatchObject({ code: "billing_not_configured" });
    expect((await left(buyer))[0]).toBe(1);
  });

  it("needs nothing of Stripe for somebody who never bought", async () => {
    const shop = await openShop();
    const buyer = await shop.customer();
    expect(await end(shop, buyer)).toBe("ended");
    expect(await shop.calls()).toEqual([]);
  });
});
