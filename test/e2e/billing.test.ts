import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { payingInstances, type PayingInstance } from "../support/node/paying.ts";

const checkoutAnswer = z.object({ url: z.url(), session_id: z.string() });
const subscribed = z.object({
  plan: z.object({ name: z.string(), allowed: z.number().nullable() }),
  subscription: z.object({ status: z.string(), quantity: z.number() }).nullable(),
  price: z.object({ currency: z.string(), tiers: z.array(z.object({ unit_amount: z.string() })) }).nullable(),
});

describe.each(payingInstances())("billing at %s", (_, open) => {
  let paying: PayingInstance;

  beforeAll(async () => {
    paying = await open();
  });
  afterAll(async () => {
    await paying.close();
  });

  const call = async (method: string, path: string, user: string, body?: object) => {
    const answer = await paying.instance.api(method, path, body, user);
    return { status: answer.status, body: answer.body };
  };

  it("is walked from the trial to the end: price, checkout, return, quantity", async () => {
    const user = "walker";
    const first = subscribed.parse((await call("GET", "/api/billing", user)).body);
    expect(first).toMatchObject({ plan: { name: "trial", allowed: null }, subscription: null });
    expect(first.price).toMatchObject({
      currency: "eur",
      tiers: [{ unit_amount: "500" }, { unit_amount: "350" }],
    });

    const begun = await call("POST", "/api/billing/checkout", user, { quantity: 2 });
    expect(begun.status).toBe(200);
    const checkout = checkoutAnswer.parse(begun.body);
    expect((await call("POST", "/api/billing/checkout", user, { quantity: 2 })).body).toEqual(begun.body);
    const early = await call("POST", "/api/billing/verify", user, { session_id: checkout.session_id });
    expect(early.body).toMatchObject({ checkout: "open", plan: { name: "trial" } });
    const stranger = await call("POST", "/api/billing/verify", "stranger", {
      session_id: checkout.session_id,
    });
    expect(stranger.status).toBe(409);

    await paying.pay(checkout, 2);
    const verified = await call("POST", "/api/billing/verify", user, {});
    expect(verified.body).toMatchObject({ plan: { name: "active", allowed: 2 } });
    expect((await call("POST", "/api/billing/checkout", user, { quantity: 2 })).status).toBe(409);

    const preview = z
      .object({ amount_due: z.number(), currency: z.string(), proration_date: z.number() })
      .parse((await call("POST", "/api/billing/quantity", user, { quantity: 3, preview: true })).body);
    expect(preview).toMatchObject({ currency: "eur", amount_due: 500 });
    const { proration_date } = preview;
    for (const quantity of [3, 2, 3]) {
      const changed = await call("POST", "/api/billing/quantity", user, { quantity, proration_date });
      expect(subscribed.parse(changed.body)).toMatchObject({
        plan: { name: "active", allowed: quantity },
        subscription: { status: "active", quantity },
      });
    }

    expect(new Set(await paying.deliverAll())).toEqual(new Set([200]));
    expect((await call("GET", "/api/billing", user)).body).toMatchObject({
      plan: { name: "active", allowed: 3 },
    });
    const portal = await call("POST", "/api/billing/portal", user, {});
    expect(z.object({ url: z.url() }).parse(portal.body).url).toMatch(/^http/);

    const gone = await call("DELETE", "/api/account", user, { confirm: "delete my account" });
    expect([gone.status, gone.body]).toMatchObject([200, { status: "erased" }]);
    expect((await call("GET", "/api/billing", user)).status).toBe(401);
  });
});

describe("events as Stripe delivers them", () => {
  let paying: PayingInstance;

  beforeAll(async () => {
    const [first] = payingInstances();
    if (first === undefined) throw new Error("no double");
    paying = await first[1]();
  });
  afterAll(async () => {
    await paying.close();
  });

  it("T85 T86 duplicated, reordered and all at once they end in Stripe's state; late ones are refused", async () => {
    const { instance } = paying;
    const begun = await instance.api("POST", "/api/billing/checkout", { quantity: 2 }, "late");
    await paying.pay(checkoutAnswer.parse(begun.body), 2);
    const plan = async () => (await instance.api("GET", "/api/me", undefined, "late")).body;
    const deliver = async (more: object): Promise<readonly number[]> =>
      z.array(z.number()).parse(await paying.say({ do: "deliver", ...paying.endpoint, ...more }));

    expect(new Set(await deliver({ late: 600 }))).toEqual(new Set([400]));
    expect(await plan()).toMatchObject({ plan: { name: "trial" } });
    expect(new Set(await deliver({ order: "reversed", copies: 2 }))).toEqual(new Set([200]));
    expect(await plan()).toMatchObject({ plan: { name: "active", allowed: 2 } });
    await instance.api("POST", "/api/billing/quantity", { quantity: 5 }, "late");
    expect(new Set(await deliver({ order: "shuffled", copies: 3, at_once: true }))).toEqual(new Set([200]));
    expect(await plan()).toMatchObject({ plan: { name: "active", allowed: 5 } });
  });

  it("reach us by themselves, and what is done in the portal comes back", async () => {
    const { instance } = paying;
    await paying.say({ do: "endpoint", ...paying.endpoint });
    const begun = await instance.api("POST", "/api/billing/checkout", { quantity: 1 }, "portal");
    await paying.pay(checkoutAnswer.parse(begun.body), 1);
    const name = async () => {
      const { body } = await instance.api("GET", "/api/me", undefined, "portal");
      return z.object({ plan: z.object({ name: z.string() }) }).parse(body).plan.name;
    };
    await expect.poll(name).toBe("active");
    const { body } = await instance.api("POST", "/api/billing/portal", {}, "portal");
    const { url } = z.object({ url: z.url() }).parse(body);
    await fetch(url, { method: "POST", body: new URLSearchParams({ do: "cancel_later" }) });
    await expect.poll(name).toBe("cancelled");
    await fetch(url, { method: "POST", body: new URLSearchParams({ do: "go_on" }) });
    await expect.poll(name).toBe("active");
  });
});
