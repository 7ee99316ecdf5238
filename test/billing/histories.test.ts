import { env } from "cloudflare:workers";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { openShop, type Buyer, type Shop, type ShopEvent } from "../support/shop.ts";

const shop = await openShop();

/** Of somebody's subscriptions one. */
const which = fc.nat(1);

/** What Stripe and the person do; `deliver` hands over an event that is there, any of them, any number of times. */
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      what: fc.constantFrom("renew", "miss", "pay", "give_up", "cancel_later", "go_on"),
      which,
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constantFrom("cancel", "fail_out"), which }) },
  { weight: 1, arbitrary: fc.constant("buy_again" as const) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 4 }).map((second) => ({ second })) },
  { weight: 2, arbitrary: fc.record({ quantity: fc.integer({ min: 1, max: 4 }), which }) },
  {
    weight: 4,
    arbitrary: fc.array(fc.nat(30), { minLength: 1, maxLength: 4 }).map((deliver) => ({ deliver })),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface History {
  readonly steps: readonly Step[];
  /** In which order the rest is delivered at the end, and how much of it at once. */
  readonly order: readonly number[];
  readonly together: number;
}

const history: fc.Arbitrary<History> = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 8 }),
  order: fc.array(fc.nat(1000), { minLength: 40, maxLength: 40 }),
  together: fc.integer({ min: 1, max: 5 }),
});

const rowOf = async (buyer: Buyer) =>
  await env.DB.prepare(
    `SELECT subscription_id, status, quantity, period_end, cancel_at, past_due_since, paid_until, parts, w.plan,
       w.plan_limit
     FROM subscriptions s JOIN workspaces w ON w.id = s.workspace_id WHERE s.workspace_id = ?1`,
  )
    .bind(buyer.workspace)
    .first();

interface Told {
  readonly own: Shop;
  readonly buyer: Buyer;
}

async function eventsOf({ own }: Told): Promise<readonly ShopEvent[]> {
  return (await own.events()).filter(({ type }) => type !== "customer.created");
}

async function take({ own, buyer }: Told, given: Step): Promise<void> {
  const { subscriptions, customers } = await own.objects();
  const idOf = (at: number) => subscriptions[at % subscriptions.length]?.id;
  if (given === "buy_again") {
    if (subscriptions.every(({ status }) => status === "canceled")) await buyer.buy(2);
  } else if ("second" in given) {
    const isFirst = subscriptions.length === 1;
    if (isFirst) await own.say({ do: "subscribe", customer: customers[0]?.id, quantity: given.second });
  } else if ("what" in given) {
    await own.say({ do: "change", subscription: idOf(given.which), what: given.what });
  } else if ("quantity" in given) {
    await own.say({ do: "quantity", subscription: idOf(given.which), quantity: given.quantity });
  } else {
    const events = await eventsOf({ own, buyer });
    const chosen = given.deliver.map((at) => events[at % events.length] ?? {});
    await Promise.all(chosen.map(async (event) => await own.deliver(event)));
  }
}

const quantities = z.object({
  items: z.object({ data: z.tuple([z.object({ quantity: z.number() })]) }),
});

/**
 * How many connections all that was ever bought comes to. Nothing here is older than a minute: what was ended is paid
 * for until its period ends, and what is owed is within the days of grace.
 */
async function boughtBy({ own }: Told): Promise<number> {
  const { subscriptions } = await own.objects();
  return subscriptions.reduce((sum, one) => sum + quantities.parse(one).items.data[0].quantity, 0);
}

/** Whether Stripe takes this customer for one who has paid. */
async function hasPaid({ own }: Told): Promise<boolean> {
  const { subscriptions } = await own.objects();
  return subscriptions.some(({ status }) => status === "active");
}

describe("T86 any history of subscriptions, its events in any order, any number of times and any number at once", () => {
  it("ends in the state of the newest object, and nobody is cut off while they pay", async () => {
    await fc.assert(
      fc.asyncProperty(history, async ({ steps, order, together }) => {
        const own = await openShop();
        const buyer = await own.customer();
        const told = { own, buyer };
        await buyer.buy(2);
        await own.deliverAll();
        await buyer.connectMany(1);
        for (const one of steps) {
          const before = await hasPaid(told);
          await take(told, one);
          // Paid for before and after, and as far as anybody was told in between.
          if (before && (await hasPaid(told)) && (await wasActive(buyer))) {
            expect((await buyer.statuses())[0]).toBe("active");
          }
        }
        const events = await eventsOf(told);
        const queue = [...events, ...events]
          .map((event, at) => ({ event, at: order[at % order.length] ?? 0 }))
          .toSorted((a, b) => a.at - b.at);
        for (let at = 0; at < queue.length; at += together) {
          const answers = await Promise.all(
            queue.slice(at, at + together).map(async ({ event }) => await own.deliver(event)),
          );
          expect(answers.every(({ status }) => status === 200)).toBe(true);
        }
        const end = await rowOf(buyer);
        // Asked freshly, whatever was told: that is what it has to be.
        await buyer.call("POST", "/api/billing/verify", {});
        expect(end).toEqual(await rowOf(buyer));
        const { subscriptions } = await own.objects();
        const paid = await hasPaid(told);
        const { status } = z.object({ status: z.string() }).parse(end);
        expect(paid ? ["active"] : subscriptions.map((one) => one.status)).toContain(status);
        expect(await buyer.plan()).toMatchObject({ allowed: await boughtBy(told) });
        if (paid) expect((await buyer.statuses())[0]).toBe("active");
      }),
      { numRuns: 20 },
    );
  }, 240_000);
});

async function wasActive(buyer: Buyer): Promise<boolean> {
  const { plan } = z.object({ plan: z.string() }).parse(await rowOf(buyer));
  return plan === "active" || plan === "past_due" || plan === "cancelled";
}

describe("an answer of Stripe's that is late", () => {
  it("does not overwrite a newer one", async () => {
    const buyer = await shop.customer();
    await buyer.buy(2);
    await shop.deliverAll();
    const { stores } = await shop.instance.runtime();
    const row = await stores.subscriptions.read(buyer.workspace);
    const [older, newer] = [
      await stores.subscriptions.takeTicket(row?.customer_id ?? ""),
      await stores.subscriptions.takeTicket(row?.customer_id ?? ""),
    ];
    const facts = row?.facts;
    if (!older || !newer || !facts) throw new Error("nothing is stored");
    const settlement = {
      workspaceId: buyer.workspace,
      userId: buyer.id,
      plan: "active",
      auditDays: 90,
      nextLook: null,
      mail: null,
      occasion: "x",
      silent: false,
    };
    const write = async (ticket: typeof older, quantity: number) =>
      await stores.subscriptions.apply(
        ticket,
        { ...facts, quantity },
        { ...settlement, limit: quantity },
        null,
      );
    expect(await write(newer, 7)).toBe(true);
    expect(await write(older, 1)).toBe(false);
    expect(await buyer.plan()).toMatchObject({ allowed: 7 });
    const limit = "SELECT plan_limit FROM workspaces WHERE id = ?1";
    expect(await env.DB.prepare(limit).bind(buyer.workspace).first("plan_limit")).toBe(7);
  });
});
