import { setTimeout as wait } from "node:timers/promises";
import { Stripe } from "stripe";
import { z } from "zod";
import type { DoubleEvent } from "./documents.ts";

/** How events reach an endpoint: in which order, how often each, how old the signature is, how many at once. */
export const deliveryPlan = z.strictObject({
  do: z.literal("deliver"),
  url: z.url(),
  secret: z.string(),
  order: z.enum(["as_it_was", "reversed", "shuffled"]).default("as_it_was"),
  copies: z.number().int().positive().default(1),
  /** Seconds. */
  late: z.number().default(0),
  at_once: z.boolean().default(false),
});

/** Delivers all that has come about, and answers the statuses in the order of delivery. */
export async function deliverAll(
  events: readonly DoubleEvent[],
  plan: z.output<typeof deliveryPlan>,
): Promise<readonly number[]> {
  const copies = events.flatMap((event) => Array.from({ length: plan.copies }, () => event));
  const ordered = plan.order === "reversed" ? copies.toReversed() : copies;
  const shuffled = ordered.map((event) => ({ event, at: Math.random() })).toSorted((a, b) => a.at - b.at);
  const queue = plan.order === "shuffled" ? shuffled.map(({ event }) => event) : ordered;
  const post = async (event: DoubleEvent) => await postEvent(event, plan.url, plan.secret, plan.late);
  if (plan.at_once) return await Promise.all(queue.map(post));
  const statuses: number[] = [];
  for (const event of queue) statuses.push(await post(event));
  return statuses;
}

/** Tries again a few times where it is not taken in, as Stripe does over three days. */
export async function postEvent(
  event: DoubleEvent,
  url: string,
  secret: string,
  late: number,
): Promise<number> {
  const payload = JSON.stringify(event, null, 2);
  for (let at = 1; ; at += 1) {
    const timestamp = Math.floor(Date.now() / 1000) - late;
    const signature = await Stripe.webhooks.generateTestHeaderStringAsync({
      payload,
      secret,
      timestamp,
      // The type wants all that the function fills in by itself.
      scheme: "v1",
      signature: "",
      cryptoProvider: Stripe.createNodeCryptoProvider(),
    });
    try {
      const headers = { "content-type": "application/json; charset=utf-8", "stripe-signature": signature };
      const { status } = await fetch(url, { method: "POST", headers, body: payload });
      if (status < 500 || at === 4) return status;
    } catch (error) {
      if (at === 4) throw error;
    }
    await wait(100 * at);
  }
}
