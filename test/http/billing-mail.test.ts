import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import type { Runtime } from "../../src/http/context.ts";
import { createStores } from "../../src/store/index.ts";
import { openShop } from "../support/shop.ts";
import { edit } from "../support/storage.ts";

const withMail = (runtime: Runtime): Runtime => ({
  ...runtime,
  stores: createStores(env.DB, env.BLOBS, 90, true),
});

it("each change is told once, to the person: confirmed, payment failed, suspended, restored", async () => {
  const shop = await openShop({}, withMail);
  const buyer = await shop.customer();
  const mails = async (): Promise<readonly string[]> => {
    const { results } = await env.DB.prepare("SELECT kind FROM mail_queue WHERE user_id = ?1 ORDER BY id")
      .bind(buyer.id)
      .all<{ kind: string }>();
    return results.map(({ kind }) => kind);
  };
  const tellThrice = async (): Promise<void> => {
    for (let at = 0; at < 3; at += 1) await shop.deliverAll();
  };

  const subscription = await buyer.buy(2);
  await tellThrice();
  expect(await mails()).toEqual(["subscription_confirmed"]);

  await buyer.connectMany(2);
  await buyer.call("POST", "/api/billing/quantity", { quantity: 1 });
  await tellThrice();
  expect(await mails()).toEqual(["subscription_confirmed", "connections_suspended"]);

  await buyer.call("POST", "/api/billing/quantity", { quantity: 2 });
  await tellThrice();
  expect((await mails()).slice(2)).toEqual(["connections_restored"]);

  await shop.say({ do: "change", subscription, what: "miss" });
  await tellThrice();
  expect((await mails()).slice(3)).toEqual(["payment_failed"]);

  await shop.say({ do: "change", subscription, what: "pay" });
  await tellThrice();
  await buyer.call("POST", "/api/billing/verify", {});
  expect((await mails()).slice(4), "who never stopped paying is not confirmed again").toEqual([]);

  await edit(env, "UPDATE workspaces SET settle_at = 0 WHERE id = ?1", buyer.workspace);
  await shop.instance.cron("* * * * *");
  expect(await mails()).toHaveLength(4);
});
