import { createHmac } from "node:crypto";
import { z } from "zod";
import { changes } from "../../../test/support/node/stripe-double/account.ts";
import { emailOf } from "../clerk.ts";
import type { Dice } from "../dice.ts";
import type { Allowance } from "../evidence.ts";
import { stripeModes, type StripeMode } from "../stripe-relay.ts";
import type { World } from "../world.ts";
import { anyHeld, Unproven, type Operation } from "./operation.ts";

const buyers = ["pia", "quin"] as const;
const checkoutSchema = z.object({ url: z.string(), session_id: z.string() });
const portalSchema = z.object({ url: z.string() });
const paidSchema = z.object({ subscription: z.string() });
const eventsSchema = z.array(
  z.looseObject({ id: z.string(), data: z.looseObject({ object: z.looseObject({}) }) }),
);

/** A request whose answer leads to a page of Stripe's: its address is registered before the answer is judged. */
async function leading(
  world: World,
  user: string,
  { path, json }: { path: string; json: object },
): Promise<unknown> {
  const allowed: Allowance[] = [];
  const { status, text } = await world.api(`POST ${path}`, user, `/api/${path}`, {
    method: "POST",
    json,
    allowed,
  });
  if (status !== 200) return undefined;
  const answer: unknown = JSON.parse(text);
  world.secrets.note("page at Stripe", user, portalSchema.parse(answer).url);
  allowed.push({ rule: "the answer that leads to Stripe", owner: user });
  return answer;
}

/** Checks out and pays, where nothing was paid yet and Stripe works. Answers the subscription. */
export async function pay(world: World, dice: Dice, user: string): Promise<string | undefined> {
  const begun = checkoutSchema.safeParse(
    await leading(world, user, { path: "billing/checkout", json: { quantity: 1 + dice.below(30) } }),
  );
  if (!begun.success) return undefined;
  const { session_id: session } = begun.data;
  const paid = paidSchema.safeParse(await world.stripe.say({ do: "pay", session }));
  const json = { session_id: session };
  const other = dice.pick(buyers);
  await world.api("POST billing/verify", user, "/api/billing/verify", { method: "POST", json });
  await world.api("POST billing/verify", other, "/api/billing/verify", { method: "POST", json });
  return paid.data?.subscription;
}

/** Billing while Stripe answers in these ways. */
export function payingWith(modes: readonly StripeMode[]): Operation {
  return {
    name: `pay: ${modes.join(", ")}`,
    weight: 0,
    run: async (world, dice) => {
      const user = dice.pick(buyers);
      const subscription = await pay(world, dice, user);
      world.stripe.modes.push(...modes);
      const post = async (path: string, json: object) =>
        await world.api(`POST ${path}`, user, `/api/${path}`, { method: "POST", json });
      await world.api("GET billing", user, "/api/billing");
      await post("billing/quantity", { quantity: 1 + dice.below(9), preview: true });
      await post("billing/quantity", { quantity: 1 + dice.below(9) });
      await post("billing/verify", { session_id: anyHeld(world, dice)?.credential.apiKey ?? "cs_0" });
      await leading(world, user, { path: "billing/portal", json: {} });
      await post("billing/portal", { return_to: "https://evil.example" });
      if (subscription !== undefined)
        await world.stripe.say({ do: "change", subscription, what: dice.pick(changes) });
      await post("billing/verify", {});
    },
  };
}

export const payForIt: Operation = {
  name: "pay, change and end what is paid for",
  weight: 2,
  run: async (world, dice) => {
    const modes = dice.chance(0.5) ? [dice.pick(stripeModes), dice.pick(stripeModes)] : [];
    await payingWith(modes).run(world, dice);
  },
};

/** As Stripe signs: https://docs.stripe.com/webhooks#verify-manually. */
function signed(payload: string, secret: string, age = 0): string {
  const time = Math.floor(Date.now() / 1000) - age;
  const mac = createHmac("sha256", secret).update(`${time}.${payload}`).digest("hex");
  return `t=${time},v1=${mac}`;
}

export const webhooks: Operation = {
  name: "Stripe's events, signed and not",
  weight: 2,
  run: async (world, dice) => {
    const user = dice.pick(buyers);
    await pay(world, dice, user);
    const { webhookSecret } = world.stripe;
    const email = emailOf(user);
    const send = async (body: string, signature?: string) =>
      await world.ask("POST webhooks/stripe", `${world.instance.url}/webhooks/stripe`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(signature === undefined ? {} : { "stripe-signature": signature }),
        },
        body,
      });
    for (const event of eventsSchema.parse(await world.stripe.say({ do: "events" })).slice(-4)) {
      // Stripe's objects say who pays; here in more places than its own.
      const object = { ...event.data.object, customer_email: email, receipt_email: email };
      const payload = JSON.stringify({ ...event, request: { id: email }, data: { object } }, null, 2);
      await send(payload);
      await send(payload, `t=1,v1=${webhookSecret}`);
      await send(payload, signed(payload, world.stripe.secretKey));
      await send(payload, signed(payload, webhookSecret, 900));
      await send(payload.slice(0, -2), signed(payload.slice(0, -2), webhookSecret));
      const { status } = await send(payload, signed(payload, webhookSecret));
      if (status !== 200 && status !== 500) throw new Unproven(`a signed event was answered ${status}`);
      await send(payload, signed(payload, webhookSecret));
    }
  },
};
