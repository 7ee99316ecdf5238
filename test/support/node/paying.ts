import { Stripe } from "stripe";
import { z } from "zod";
import { freePort } from "./free-port.ts";
import { startInstance, type Instance, type InstanceOptions } from "./instance.ts";
import { startStripeDouble } from "./stripe-double/server.ts";

/** A deployment with billing, at the double or at Stripe itself, and somebody who pays. */
export interface PayingInstance {
  readonly instance: Instance;
  /** Origin of the double, where people pay; empty at Stripe itself. */
  readonly stripeUrl: string;
  /** Does what a person does at the checkout: pays `quantity`. Gives the customer a subscription. */
  pay(checkout: { readonly url: string; readonly session_id: string }, quantity: number): Promise<void>;
  /** Delivers every event that there is, signed; answers the statuses. Stripe itself cannot reach this machine. */
  deliverAll(): Promise<readonly number[]>;
  /** Says something to the double; nothing at Stripe. */
  say(body: object): Promise<unknown>;
  readonly endpoint: { readonly url: string; readonly secret: string };
  close(): Promise<void>;
}

const secret = "whsec_double";

/** At the double; with the page and a service to connect only where they are wanted. */
export async function payAtDouble(
  wanted: Pick<InstanceOptions, "demo" | "page"> = { demo: false, page: false },
): Promise<PayingInstance> {
  const double = await startStripeDouble();
  const key = `sk_test_${crypto.randomUUID().replaceAll("-", "")}`;
  const instance = await startInstance({
    ...wanted,
    variables: {
      STRIPE_SECRET_KEY: key,
      STRIPE_WEBHOOK_SECRET: secret,
      STRIPE_PRICE_CONNECTIONS: "price_connections",
      STRIPE_API_URL: double.url,
    },
  });
  const say = async (body: object): Promise<unknown> => {
    const answer = await fetch(`${double.url}/_/`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}` },
      body: JSON.stringify(body),
    });
    return await answer.json();
  };
  return {
    instance,
    stripeUrl: double.url,
    endpoint: { url: `${instance.url}/webhooks/stripe`, secret },
    async pay({ url }) {
      const page = await (await fetch(url)).text();
      if (!page.includes("Pay</button>")) throw new Error(`no checkout page: ${page}`);
      const body = new URLSearchParams({ do: "pay" });
      const answer = await fetch(url, { method: "POST", body, redirect: "manual" });
      if (answer.status !== 303) throw new Error(`paying was answered ${answer.status}`);
    },
    deliverAll: async () =>
      z.array(z.number()).parse(await say({ do: "deliver", url: `${instance.url}/webhooks/stripe`, secret })),
    say,
    async close() {
      await instance.close();
      await double.close();
    },
  };
}

/** Stripe's test mode: https://docs.stripe.com/testing. Its checkout is for browsers, so the API pays. */
async function atStripe(key: string): Promise<PayingInstance> {
  const stripe = new Stripe(key);
  const began = Math.floor(Date.now() / 1000);
  const price = await stripe.prices.create({
    currency: "eur",
    billing_scheme: "tiered",
    tiers_mode: "graduated",
    tiers: [
      { up_to: 10, unit_amount: 500 },
      { up_to: "inf", unit_amount: 350 },
    ],
    recurring: { interval: "month" },
    product_data: { name: `Bindify test ${await freePort()}` },
  });
  const instance = await startInstance({
    demo: false,
    page: false,
    variables: {
      STRIPE_SECRET_KEY: key,
      STRIPE_WEBHOOK_SECRET: secret,
      STRIPE_PRICE_CONNECTIONS: price.id,
    },
  });
  return {
    instance,
    stripeUrl: "",
    endpoint: { url: `${instance.url}/webhooks/stripe`, secret },
    async pay({ session_id: id }, quantity) {
      const { customer } = await stripe.checkout.sessions.retrieve(id);
      if (typeof customer !== "string") throw new TypeError("a session without a customer");
      const { id: method } = await stripe.paymentMethods.attach("pm_card_visa", { customer });
      await stripe.subscriptions.create({
        customer,
        items: [{ price: price.id, quantity }],
        default_payment_method: method,
      });
    },
    async deliverAll() {
      const statuses: number[] = [];
      for await (const event of stripe.events.list({ created: { gte: began } })) {
        const payload = JSON.stringify(event);
        const signature = await stripe.webhooks.generateTestHeaderStringAsync({ payload, secret });
        const answer = await fetch(`${instance.url}/webhooks/stripe`, {
          method: "POST",
          headers: { "stripe-signature": signature },
          body: payload,
        });
        statuses.push(answer.status);
      }
      return statuses;
    },
    say: async () => await Promise.resolve({}),
    async close() {
      await instance.close();
      await stripe.prices.update(price.id, { active: false });
    },
  };
}

/** The double, and Stripe's test mode where a key of it is given. */
export function payingInstances(): readonly (readonly [string, () => Promise<PayingInstance>])[] {
  const key = process.env["STRIPE_TEST_SECRET_KEY"];
  return [
    ["the double", () => payAtDouble()],
    ...(key === undefined || key === "" ? [] : [["Stripe's test mode", () => atStripe(key)] as const]),
  ];
}
