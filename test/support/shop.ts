import { env } from "cloudflare:workers";
import { Stripe } from "stripe";
import { inject } from "vitest";
import { z } from "zod";
import type { Runtime } from "../../src/http/context.ts";
import { createInstance, type Instance, type TestEnv } from "./instance.ts";
import { createPerson, type Person } from "./person.ts";
import { upstream } from "./upstream.ts";

const eventSchema = z.looseObject({ id: z.string(), type: z.string() });
export type ShopEvent = z.output<typeof eventSchema>;

const objectsSchema = z.object({
  customers: z.array(z.looseObject({ id: z.string(), deleted: z.boolean().optional() })),
  subscriptions: z.array(z.looseObject({ id: z.string(), status: z.string(), customer: z.string() })),
  sessions: z.array(z.looseObject({ id: z.string(), status: z.string() })),
});
const callsSchema = z.array(z.object({ method: z.string(), path: z.string(), key: z.string().nullable() }));

export const planAnswer = z.strictObject({
  name: z.enum(["self_hosted", "trial", "active", "past_due", "cancelled", "none"]),
  allowed: z.number().nullable(),
  until: z.iso.datetime().nullable(),
  reason: z.string(),
});

export const billingAnswer = z.strictObject({
  plan: planAnswer,
  trial_ends_at: z.iso.datetime(),
  connections: z.strictObject({ active: z.number(), suspended: z.number() }),
  subscription: z
    .strictObject({
      status: z.string(),
      quantity: z.number(),
      current_period_end: z.iso.datetime().nullable(),
      cancel_at: z.iso.datetime().nullable(),
      past_due_since: z.iso.datetime().nullable(),
    })
    .nullable(),
  has_portal: z.boolean(),
  price: z
    .strictObject({
      currency: z.string(),
      interval: z.string().nullable(),
      interval_count: z.number().nullable(),
      tiers_mode: z.string().nullable(),
      tiers: z.array(
        z.strictObject({
          up_to: z.number().nullable(),
          unit_amount: z.string(),
          flat_amount: z.string(),
        }),
      ),
    })
    .nullable(),
});

const checkoutAnswer = z.strictObject({ url: z.url(), session_id: z.string() });

/** A deployment with billing, with an account of its own at the double of Stripe. */
export interface Shop {
  readonly instance: Instance;
  readonly secret: string;
  /** What a test says to the double: see support/node/stripe-double/control.ts. */
  readonly say: (body: object) => Promise<unknown>;
  readonly events: () => Promise<readonly ShopEvent[]>;
  readonly objects: () => Promise<z.output<typeof objectsSchema>>;
  readonly calls: () => Promise<z.output<typeof callsSchema>>;
  /** Delivers an event as Stripe does. */
  readonly deliver: (event: object, options?: DeliveryOptions) => Promise<Response>;
  readonly deliverAll: () => Promise<void>;
  /** Somebody whose trial ended. */
  readonly customer: () => Promise<Buyer>;
}

export interface DeliveryOptions {
  readonly secret?: string;
  /** Seconds since the epoch. */
  readonly timestamp?: number;
  readonly body?: string;
  readonly signature?: string | null;
}

export interface Buyer extends Person {
  readonly id: string;
  readonly workspace: string;
  readonly checkout: (quantity: number) => Promise<{ readonly url: string; readonly session_id: string }>;
  /** Checks out and pays; the events wait. Answers the subscription's id. */
  readonly buy: (quantity: number) => Promise<string>;
  readonly billing: () => Promise<z.output<typeof billingAnswer>>;
  readonly plan: () => Promise<z.output<typeof planAnswer>>;
  readonly connectMany: (
    count: number,
  ) => Promise<readonly { readonly id: string; readonly secretPath: string }[]>;
  /** Statuses of the connections, the oldest first. */
  readonly statuses: () => Promise<readonly string[]>;
}

export async function openShop(
  changes: Partial<TestEnv> = {},
  patch?: (runtime: Runtime) => Runtime,
): Promise<Shop> {
  const key = `sk_test_${crypto.randomUUID().replaceAll("-", "")}`;
  const secret = `whsec_${crypto.randomUUID().replaceAll("-", "")}`;
  const instance = createInstance(
    {
      STRIPE_SECRET_KEY: key,
      STRIPE_WEBHOOK_SECRET: secret,
      STRIPE_PRICE_CONNECTIONS: "price_connections",
      STRIPE_API_URL: inject("stripeUrl"),
      // Of all the workspaces that a file's tests make, no run leaves one for the next.
      BACKGROUND_BUDGET: "50",
      ...changes,
    },
    patch,
  );

  const say: Shop["say"] = async (body) => {
    const headers = { authorization: `Bearer ${key}` };
    const answer = await fetch(`${inject("stripeUrl")}/_/`, {
      method: "POST",
      headers,
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`the double answered ${answer.status}: ${await answer.text()}`);
    return await answer.json();
  };
  const events = async () => z.array(eventSchema).parse(await say({ do: "events" }));
  const deliver: Shop["deliver"] = async (event, options = {}) => {
    const payload = JSON.stringify(event, null, 2);
    const signature = options.signature ?? (await sign(payload, options.secret ?? secret, options.timestamp));
    return await instance.fetch("/webhooks/stripe", {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(options.signature === null ? {} : { "stripe-signature": signature }),
      },
      body: options.body ?? payload,
    });
  };

  return {
    instance,
    secret,
    say,
    events,
    objects: async () => objectsSchema.parse(await say({ do: "objects" })),
    calls: async () => callsSchema.parse(await say({ do: "calls" })),
    deliver,
    async deliverAll() {
      for (const event of await events()) {
        const { status } = await deliver(event);
        if (status !== 200) throw new Error(`the webhook answered ${status}`);
      }
    },
    customer: async () => {
      const person = await createPerson(instance);
      const me = z
        .object({ id: z.string(), workspace_id: z.string() })
        .parse(await (await person.call("GET", "/api/me")).json());
      await age(me.workspace_id, 6 * 86_400_000);
      return buyer(person, me, say);
    },
  };
}

/** Makes a workspace older: its trial began so many ms earlier. */
export async function age(workspace: string, ms: number): Promise<void> {
  await env.DB.prepare("UPDATE workspaces SET created_at = created_at - ?2, settle_at = 0 WHERE id = ?1")
    .bind(workspace, ms)
    .run();
}

export async function sign(payload: string, secret: string, timestamp?: number): Promise<string> {
  return await Stripe.webhooks.generateTestHeaderStringAsync({
    payload,
    secret,
    timestamp: timestamp ?? Math.floor(Date.now() / 1000),
    scheme: "v1",
    signature: "",
    cryptoProvider: Stripe.createSubtleCryptoProvider(),
  });
}

async function answerOf<T extends z.ZodType>(answer: Response, schema: T): Promise<z.output<T>> {
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`answered ${answer.status}: ${text}`);
  return schema.parse(JSON.parse(text));
}

function buyer(person: Person, me: { id: string; workspace_id: string }, say: Shop["say"]): Buyer {
  const checkout: Buyer["checkout"] = async (quantity) =>
    await answerOf(await person.call("POST", "/api/billing/checkout", { quantity }), checkoutAnswer);
  return {
    ...person,
    id: me.id,
    workspace: me.workspace_id,
    checkout,
    async buy(quantity) {
      const { session_id: session } = await checkout(quantity);
      return z.object({ subscription: z.string() }).parse(await say({ do: "pay", session })).subscription;
    },
    billing: async () => await answerOf(await person.call("GET", "/api/billing"), billingAnswer),
    plan: async () =>
      (await answerOf(await person.call("GET", "/api/me"), z.object({ plan: planAnswer }))).plan,
    async connectMany(count) {
      const all = [];
      for (let at = 0; at < count; at += 1) {
        all.push(await person.connect({ url: upstream().url }));
        // The order is by the millisecond.
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      return all;
    },
    async statuses() {
      const { results } = await env.DB.prepare(
        "SELECT status FROM connections WHERE workspace_id = ?1 ORDER BY created_at, id",
      )
        .bind(me.workspace_id)
        .all<{ status: string }>();
      return results.map(({ status }) => status);
    },
  };
}
