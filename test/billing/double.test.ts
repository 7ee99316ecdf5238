import { inject, describe, expect, it } from "vitest";
import { Stripe } from "stripe";
import { z } from "zod";

const url = new URL(inject("stripeUrl"));
const key = `sk_test_${crypto.randomUUID().replaceAll("-", "")}`;
const stripe = new Stripe(key, {
  protocol: "http",
  host: url.hostname,
  port: url.port,
  httpClient: Stripe.createFetchHttpClient(),
  maxNetworkRetries: 0,
});
const errorSchema = z.object({ error: z.object({ type: z.string(), code: z.string().optional() }) });

/** A request as the SDK makes it, but for what a test changes. */
async function raw(path: string, body: Record<string, string>, headers: Record<string, string> = {}) {
  const answer = await fetch(new URL(path, url), {
    method: "POST",
    headers: {
      authorization: `Bearer ${key}`,
      "stripe-version": Stripe.API_VERSION,
      "idempotency-key": crypto.randomUUID(),
      ...headers,
    },
    body: new URLSearchParams(body),
  });
  return { status: answer.status, body: await answer.json() };
}

/** What only a test can say. */
async function say(body: object) {
  const init = { method: "POST", headers: { authorization: `Bearer ${key}` }, body: JSON.stringify(body) };
  return await (await fetch(new URL("/_/", url), init)).json();
}

const customer = { "metadata[user_id]": "usr_1" };

describe("the double of Stripe", () => {
  it("answers the SDK", async () => {
    const made = await stripe.customers.create({ metadata: { user_id: "usr_1" } }, { idempotencyKey: "a" });
    expect(await stripe.customers.retrieve(made.id)).toMatchObject({ metadata: { user_id: "usr_1" } });
    const price = await stripe.prices.retrieve("price_1", { expand: ["tiers"] });
    expect(price.tiers?.[0]?.unit_amount_decimal?.toString()).toBe("500");
  });

  it("refuses a parameter that it does not know, at the top and below", async () => {
    for (const more of [{ colour: "red" }, { "metadata[user_id][x]": "1" }]) {
      const answer = await raw("/v1/customers", { ...customer, ...more });
      expect(answer.status).toBe(400);
    }
    expect(
      errorSchema.parse((await raw("/v1/customers", { ...customer, colour: "red" })).body).error.code,
    ).toBe("parameter_unknown");
  });

  it.each(["", "2020-08-27"])("refuses the version %j", async (version) => {
    const answer = await raw("/v1/customers", customer, { "stripe-version": version });
    expect(answer.status).toBe(400);
  });

  it("refuses a write without a key of its intent, and an address that it does not have", async () => {
    expect((await raw("/v1/customers", customer, { "idempotency-key": "stripe-node-retry-1" })).status).toBe(
      400,
    );
    expect((await raw("/v1/refunds", {})).status).toBe(400);
    expect((await fetch(new URL("/v1/prices/price_1", url))).status).toBe(401);
  });

  it("gives a key's first answer again, and refuses it with other parameters", async () => {
    const again = { "idempotency-key": "same" };
    const first = await raw("/v1/customers", customer, again);
    expect(await raw("/v1/customers", customer, again)).toEqual(first);
    const other = await raw("/v1/customers", { "metadata[user_id]": "usr_2" }, again);
    expect([other.status, errorSchema.parse(other.body).error.type]).toEqual([400, "idempotency_error"]);
  });

  it("gives a refusal again under the same key, and asks anew under another", async () => {
    const buyer = await stripe.customers.create({ metadata: { user_id: "usr_1" } }, { idempotencyKey: "c" });
    const made = z
      .object({ id: z.string(), items: z.object({ data: z.tuple([z.object({ id: z.string() })]) }) })
      .parse(await say({ do: "subscribe", customer: buyer.id, quantity: 1 }));
    const change = {
      "items[0][id]": made.items.data[0].id,
      "items[0][quantity]": "4",
      proration_behavior: "always_invoice",
      payment_behavior: "error_if_incomplete",
    };
    const ask = async (intent: string) =>
      (await raw(`/v1/subscriptions/${made.id}`, change, { "idempotency-key": intent })).status;
    await say({ do: "decline", on: true });
    expect(await ask("first")).toBe(402);
    await say({ do: "decline", on: false });
    expect([await ask("first"), await ask("second")]).toEqual([402, 200]);
  });

  it("keeps accounts apart", async () => {
    const made = await stripe.customers.create({ metadata: { user_id: "usr_1" } }, { idempotencyKey: "b" });
    const headers = { authorization: "Bearer sk_test_other", "stripe-version": Stripe.API_VERSION };
    expect((await fetch(new URL(`/v1/customers/${made.id}`, url), { headers })).status).toBe(404);
  });
});
