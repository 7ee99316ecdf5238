import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { endBilling } from "../../src/billing/end.ts";
import { problemOf } from "../support/answers.ts";
import { createPerson } from "../support/person.ts";
import { openShop } from "../support/shop.ts";
import { dump, edit } from "../support/storage.ts";

it("T86 a key of another account or mode cuts nobody off, rebinds nobody and ends nothing", async () => {
  const shop = await openShop();
  const buyer = await shop.customer();
  const subscription = await buyer.buy(2);
  await shop.deliverAll();
  await buyer.connectMany(1);
  const binding = async () =>
    await env.DB.prepare("SELECT customer_id, status, quantity FROM subscriptions WHERE workspace_id = ?1")
      .bind(buyer.workspace)
      .first();
  const before = await binding();

  const wrong = await openShop();
  const there = await createPerson(wrong.instance, buyer.name);
  await edit(env, "UPDATE workspaces SET settle_at = 1 WHERE id = ?1", buyer.workspace);
  await wrong.instance.cron("* * * * *");
  const asked = (await wrong.calls()).filter(({ path }) => path.startsWith("/v1/subscriptions"));
  expect(asked, "the job did ask").not.toEqual([]);
  for (const [route, body] of [
    ["checkout", { quantity: 3 }],
    ["quantity", { quantity: 3 }],
    ["portal", {}],
    ["verify", {}],
  ] as const) {
    await problemOf(await there.call("POST", `/api/billing/${route}`, body), "customer_mismatch");
  }
  const stored = await dump(env);
  await expect(
    endBilling({ workspace_id: buyer.workspace }, await wrong.instance.runtime()),
    "an account is not forgotten while its subscription goes on",
  ).rejects.toMatchObject({ code: "billing_rejected" });
  expect(await dump(env)).toEqual(stored);
  expect((await wrong.objects()).customers).toEqual([]);
  expect(await binding()).toEqual(before);
  expect(await buyer.statuses()).toEqual(["active"]);

  // With the right key back it is as it was.
  await shop.say({ do: "quantity", subscription, quantity: 4 });
  const event = (await shop.events()).at(-1) ?? {};
  expect(await (await shop.deliver(event)).json()).toEqual({ outcome: "applied" });
  expect(await buyer.plan()).toMatchObject({ name: "active", allowed: 4 });
});
