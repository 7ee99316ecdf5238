import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { problemOf } from "../support/answers.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson } from "../support/person.ts";
import { openShop, type Buyer } from "../support/shop.ts";
import { edit, inventory } from "../support/storage.ts";

/** Each asks the double, the database and the service several times over. */
const shop = await openShop();
const writes = ["checkout", "verify", "portal", "quantity"] as const;

describe("a deployment without Stripe", () => {
  const plain = createInstance();

  it("has no billing: its routes are 404, nothing is limited, and nothing of it is stored", async () => {
    const person = await createPerson(plain);
    await problemOf(await person.call("GET", "/api/billing"), "billing_not_configured");
    for (const route of writes) {
      const answer = await person.call("POST", `/api/billing/${route}`, { quantity: 1 });
      await problemOf(answer, "billing_not_configured");
    }
    await problemOf(
      await plain.fetch("/webhooks/stripe", { method: "POST", body: "{}" }),
      "billing_not_configured",
    );
    const me = await (await person.call("GET", "/api/me")).json();
    expect(me).toMatchObject({
      plan: { name: "self_hosted", allowed: null, until: null, reason: "billing_off" },
    });
    await plain.cron("* * * * *");
    expect(await inventory(env)).toMatchObject({ subscriptions: 0, billing_events: 0, audit_queue: 0 });
  });
});

describe("the billing routes", () => {
  it.each(writes)("T80 %s wants a signed-in user", async (route) => {
    const init = { method: "POST", headers: { "content-type": "application/json" }, body: "{}" };
    await problemOf(await shop.instance.fetch(`/api/billing/${route}`, init), "unauthenticated");
  });

  it.each([
    ["checkout", {}],
    ["checkout", { quantity: 0 }],
    ["checkout", { quantity: 1.5 }],
    ["checkout", { quantity: "2" }],
    ["checkout", { quantity: 2, customer: "cus_other" }],
    ["checkout", { quantity: 2, return_to: "https://evil.example" }],
    ["portal", { return_to: "https://evil.example" }],
    ["quantity", { quantity: 10_001 }],
    ["quantity", { quantity: 1, preview: "yes" }],
    ["verify", { session_id: 7 }],
    ["verify", { session_id: "bnd_test_somebodys" }],
  ])("%s refuses %j and asks Stripe nothing", async (route, body) => {
    const own = await openShop();
    const buyer = await own.customer();
    await problemOf(await buyer.call("POST", `/api/billing/${route}`, body), "invalid_request");
    expect(await own.calls()).toEqual([]);
  });

  it.each(["portal", "verify"])("%s needs a customer", async (route) => {
    const buyer = await shop.customer();
    await problemOf(await buyer.call("POST", `/api/billing/${route}`, {}), "not_subscribed");
  });
});

describe("the price", () => {
  it("is read from Stripe, in its own currency and tiers, once in some minutes", async () => {
    const own = await openShop();
    const buyer = await own.customer();
    const { price } = await buyer.billing();
    expect(price).toEqual({
      currency: "eur",
      interval: "month",
      interval_count: 1,
      tiers_mode: "graduated",
      tiers: [
        { up_to: 10, unit_amount: "500", flat_amount: "0" },
        { up_to: null, unit_amount: "350", flat_amount: "0" },
      ],
    });
  });

  it("is left out where Stripe does not answer, and the rest is shown", async () => {
    const own = await openShop();
    const buyer = await own.customer();
    await own.say({ do: "fail", times: 1 });
    expect(await buyer.billing()).toMatchObject({ price: null, plan: { name: "none" } });
    expect((await buyer.billing()).price).not.toBeNull();
  });
});

describe("buying", () => {
  it("checkout, payment, and the return are enough: no webhook is needed", async () => {
    const buyer = await shop.customer();
    expect(await buyer.plan()).toEqual({ name: "none", allowed: 0, until: null, reason: "trial_ended" });
    const { session_id: session, url } = await buyer.checkout(3);
    expect(new URL(url).pathname).toBe(`/c/pay/${session}`);
    const verify = async () =>
      await (await buyer.call("POST", "/api/billing/verify", { session_id: session })).json();
    expect(await verify()).toMatchObject({ checkout: "open", plan: { name: "none" }, subscription: null });
    await shop.say({ do: "pay", session });
    expect(await verify()).toMatchObject({
      checkout: "complete",
      plan: { name: "active", allowed: 3, reason: "paid" },
      subscription: { status: "active", quantity: 3, cancel_at: null, past_due_since: null },
      has_portal: true,
    });
    expect(await buyer.plan()).toMatchObject({ name: "active", allowed: 3 });
    const days = "SELECT audit_days, plan, plan_limit FROM workspaces WHERE id = ?1";
    expect(await env.DB.prepare(days).bind(buyer.workspace).first()).toEqual({
      audit_days: 90,
      plan: "active",
      plan_limit: 3,
    });
  });

  it("two tabs for the same are one checkout, and one for another quantity ends it", async () => {
    const buyer = await shop.customer();
    const [one, two] = await Promise.all([buyer.checkout(2), buyer.checkout(2)]);
    expect(two).toEqual(one);
    expect(await buyer.checkout(2)).toEqual(one);
    const other = await buyer.checkout(4);
    expect(other.session_id).not.toBe(one.session_id);
    await expect(shop.say({ do: "pay", session: one.session_id })).rejects.toThrow(/not open/);
    const again = await buyer.checkout(2);
    expect([one.session_id, other.session_id]).not.toContain(again.session_id);
    const { customers } = await shop.objects();
    expect(new Set(customers.map(({ id }) => id)).size).toBe(customers.length);
  });

  it("two first checkouts at once make one customer", async () => {
    const own = await openShop();
    const buyer = await own.customer();
    await Promise.all([buyer.checkout(2), buyer.checkout(3), buyer.checkout(4)]);
    expect((await own.objects()).customers).toHaveLength(1);
  });

  it("who is subscribed changes the quantity instead", async () => {
    const buyer = await shop.customer();
    await buyer.buy(2);
    const answer = await buyer.call("POST", "/api/billing/checkout", { quantity: 3 });
    await problemOf(answer, "already_subscribed");
    expect((await buyer.plan()).allowed, "and what was paid is found on the way").toBe(2);
  });

  it("after it ended one can subscribe again, to the same", async () => {
    const buyer = await shop.customer();
    const subscription = await buyer.buy(2);
    await shop.say({ do: "change", subscription, what: "cancel" });
    const second = await buyer.buy(2);
    expect(second).not.toBe(subscription);
    await buyer.call("POST", "/api/billing/verify", {});
    expect(await buyer.billing()).toMatchObject({ plan: { name: "active" }, subscription: { quantity: 2 } });
  });

  it("every write carries a key of its intent", async () => {
    const posts = (await shop.calls()).filter(({ method }) => method === "POST");
    expect(posts.length).toBeGreaterThan(5);
    for (const { key } of posts) expect(key).toMatch(/^bindify-[0-9a-f]{40}$/);
  });
});

describe("the customer belongs to the user, in both directions", () => {
  it("a session of another's customer is unknown, and changes nothing", async () => {
    const [buyer, stranger] = [await shop.customer(), await shop.customer()];
    const { session_id: session } = await buyer.checkout(2);
    await stranger.checkout(1);
    await shop.say({ do: "pay", session });
    const answer = await stranger.call("POST", "/api/billing/verify", { session_id: session });
    await problemOf(answer, "unknown_checkout");
    await problemOf(
      await stranger.call("POST", "/api/billing/verify", { session_id: "cs_test_none" }),
      "unknown_checkout",
    );
    expect((await stranger.plan()).name).toBe("none");
  });

  it("a customer that names somebody else is not used", async () => {
    const buyer = await shop.customer();
    await buyer.buy(1);
    const customer = await env.DB.prepare("SELECT customer_id FROM subscriptions WHERE workspace_id = ?1")
      .bind(buyer.workspace)
      .first<string>("customer_id");
    await shop.say({ do: "rename_customer", customer, user: "usr_somebody" });
    for (const [route, body] of [
      ["checkout", { quantity: 2 }],
      ["portal", {}],
      ["quantity", { quantity: 2 }],
    ] as const) {
      await problemOf(await buyer.call("POST", `/api/billing/${route}`, body), "customer_mismatch");
    }
  });

  it("a customer that was deleted at Stripe is replaced", async () => {
    const buyer = await shop.customer();
    await buyer.buy(1);
    const binding = "SELECT customer_id FROM subscriptions WHERE workspace_id = ?1";
    const customer = await env.DB.prepare(binding).bind(buyer.workspace).first<string>("customer_id");
    await shop.say({ do: "delete_customer", customer });
    const gone = (await shop.events()).findLast(({ type }) => type === "customer.deleted") ?? {};
    expect(await (await shop.deliver(gone)).json()).toEqual({ outcome: "applied" });
    expect(await buyer.plan()).toMatchObject({ name: "none" });
    await problemOf(await buyer.call("POST", "/api/billing/portal", {}), "not_subscribed");
    await buyer.buy(2);
    await buyer.call("POST", "/api/billing/verify", {});
    expect(await buyer.billing()).toMatchObject({ plan: { name: "active", allowed: 2 } });
    expect(await env.DB.prepare(binding).bind(buyer.workspace).first("customer_id")).not.toBe(customer);
  });
});

const change = async (buyer: Buyer, body: object) => await buyer.call("POST", "/api/billing/quantity", body);

describe("changing the quantity", () => {
  it("shows what it costs first, and then costs exactly that", async () => {
    const buyer = await shop.customer();
    await buyer.buy(2);
    const preview = await (await change(buyer, { quantity: 4, preview: true })).json();
    expect(preview).toMatchObject({ quantity: 4, currency: "eur", amount_due: 1000 });
    expect((await buyer.billing()).subscription?.quantity, "a preview changes nothing").toBe(2);
    const answer = await change(buyer, { quantity: 4, proration_date: Math.floor(Date.now() / 1000) });
    expect(await answer.json()).toMatchObject({ plan: { allowed: 4 }, subscription: { quantity: 4 } });
  });

  it("goes back and forth: each is an intent of its own, a repeat is none", async () => {
    const buyer = await shop.customer();
    await buyer.buy(2);
    for (const quantity of [3, 2, 3, 2]) {
      const answers = await Promise.all([change(buyer, { quantity }), change(buyer, { quantity })]);
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      expect((await buyer.billing()).plan.allowed).toBe(quantity);
    }
    const updates = (await shop.events()).filter(({ type }) => type === "customer.subscription.updated");
    expect(updates.length).toBe(5);
  });

  it("a card that is declined changes nothing", async () => {
    const own = await openShop();
    const buyer = await own.customer();
    await buyer.buy(2);
    await own.say({ do: "decline", on: true });
    await problemOf(await change(buyer, { quantity: 5 }), "payment_refused");
    expect((await buyer.billing()).plan.allowed).toBe(2);
    expect((await change(buyer, { quantity: 1 })).status, "fewer cost nothing").toBe(200);
  });

  it("needs a subscription", async () => {
    const buyer = await shop.customer();
    await problemOf(await change(buyer, { quantity: 2 }), "not_subscribed");
    await buyer.checkout(2);
    await problemOf(await change(buyer, { quantity: 2 }), "not_subscribed");
  });

  it("Stripe not answering is said, and nothing changed", async () => {
    const own = await openShop();
    const buyer = await own.customer();
    await buyer.buy(2);
    await own.say({ do: "fail", times: 1 });
    const answer = await change(buyer, { quantity: 3 });
    expect(answer.headers.get("retry-after")).toBe("30");
    await problemOf(answer, "billing_unavailable");
  });
});

describe("the portal", () => {
  it("is Stripe's page for this customer, and comes back to ours", async () => {
    const buyer = await shop.customer();
    await buyer.buy(1);
    const answer: { url?: string } = await (await buyer.call("POST", "/api/billing/portal", {})).json();
    const page = await (await fetch(answer.url ?? "")).text();
    expect(page).toContain("Cancel subscription");
    expect(page).toContain(`${env.PUBLIC_URL}/#/billing`);
  });
});

describe("a person who paid and of whom we heard nothing", () => {
  it("looks at the page, and that is when we ask", async () => {
    const buyer = await shop.customer();
    await buyer.buy(2);
    await edit(
      env,
      "UPDATE subscriptions SET fetched_at = fetched_at - 120000 WHERE workspace_id = ?1",
      buyer.workspace,
    );
    expect(await buyer.billing()).toMatchObject({ plan: { name: "active", allowed: 2 } });
  });
});
