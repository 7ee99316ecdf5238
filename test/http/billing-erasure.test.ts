import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { openShop, type Buyer, type Shop } from "../support/shop.ts";
import { dump, edit } from "../support/storage.ts";

/** Each asks the double, the database and the service several times over. */
async function subscribed(): Promise<{ readonly shop: Shop; readonly buyer: Buyer }> {
  const shop = await openShop();
  const buyer = await shop.customer();
  await buyer.buy(2);
  await shop.deliverAll();
  await buyer.connectMany(1);
  return { shop, buyer };
}

const erase = async (buyer: Buyer) => {
  const answer = await buyer.call("DELETE", "/api/account", { confirm: "delete my account" });
  return z.looseObject({ status: z.string() }).parse(await answer.json()).status;
};

async function expectEnded(shop: Shop, buyer: Buyer): Promise<void> {
  const { customers, subscriptions } = await shop.objects();
  expect(customers).toMatchObject([{ deleted: true }]);
  expect(subscriptions).toMatchObject([{ status: "canceled" }]);
  await shop.deliverAll();
  await edit(env, "UPDATE erased_connections SET sweep_at = 1");
  await shop.instance.cron("* * * * *");
  const rest = JSON.stringify(await dump(env));
  for (const name of [buyer.id, buyer.workspace]) expect(rest).not.toContain(name);
}

describe("deleting the account of somebody who pays", () => {
  it("T89 ends the subscription and the customer, and leaves nothing here", async () => {
    const { shop, buyer } = await subscribed();
    expect(await erase(buyer)).toBe("erased");
    await expectEnded(shop, buyer);
  });

  it("T89 goes on later where Stripe does not answer: nobody pays for an account that is gone", async () => {
    const { shop, buyer } = await subscribed();
    await shop.say({ do: "fail", times: 1 });
    expect(await erase(buyer)).toBe("erasing");
    expect((await shop.objects()).customers).not.toMatchObject([{ deleted: true }]);
    await edit(env, "UPDATE erasures SET next_at = 1 WHERE workspace_id = ?1", buyer.workspace);
    await shop.instance.cron("* * * * *");
    await expectEnded(shop, buyer);
  });
});
