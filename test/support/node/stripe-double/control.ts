import { z } from "zod";
import * as state from "./account.ts";
import type { Account } from "./account.ts";
import { checkParams, invalid } from "./form.ts";
import { deliverAll, deliveryPlan, postEvent } from "./deliver.ts";

const body = z.discriminatedUnion("do", [
  z.strictObject({ do: z.literal("events") }),
  z.strictObject({ do: z.literal("calls") }),
  z.strictObject({ do: z.literal("objects") }),
  z.strictObject({ do: z.literal("pay"), session: z.string() }),
  z.strictObject({ do: z.literal("subscribe"), customer: z.string(), quantity: z.number() }),
  z.strictObject({ do: z.literal("change"), subscription: z.string(), what: z.enum(state.changes) }),
  z.strictObject({ do: z.literal("quantity"), subscription: z.string(), quantity: z.number() }),
  z.strictObject({ do: z.literal("delete_customer"), customer: z.string() }),
  z.strictObject({ do: z.literal("rename_customer"), customer: z.string(), user: z.string() }),
  z.strictObject({ do: z.literal("fail"), times: z.number() }),
  z.strictObject({ do: z.literal("decline"), on: z.boolean() }),
  z.strictObject({ do: z.literal("advance"), seconds: z.number() }),
  z.strictObject({ do: z.literal("endpoint"), url: z.url(), secret: z.string() }),
  deliveryPlan,
]);

/** What a test says to the double, as JSON below `/_/`. Real Stripe has a dashboard, time and banks for it. */
export async function control(account: Account, given: unknown): Promise<unknown> {
  const said = checkParams(body, given);
  switch (said.do) {
    case "events":
      return account.events;
    case "calls":
      return account.calls;
    case "objects":
      return {
        customers: [...account.customers.values()],
        subscriptions: [...account.subscriptions.values()],
        sessions: [...account.sessions.values()],
      };
    case "pay":
      return state.payCheckout(account, said.session);
    case "subscribe":
      return state.subscribe(account, said.customer, "price_connections", said.quantity);
    case "change": {
      const subscription = state.found(account.subscriptions, "subscription", said.subscription);
      state.change(account, subscription, said.what);
      return subscription;
    }
    case "quantity": {
      const subscription = state.found(account.subscriptions, "subscription", said.subscription);
      if (subscription.status === "canceled") return subscription;
      const { current_period_start: start } = state.itemOf(subscription);
      state.setQuantity(account, subscription, said.quantity, start);
      return subscription;
    }
    case "delete_customer":
      return state.deleteCustomer(account, said.customer);
    case "rename_customer": {
      const customer = state.found(account.customers, "customer", said.customer);
      if (customer.deleted === true) throw invalid("deleted");
      customer.metadata = { user_id: said.user };
      return customer;
    }
    case "fail":
      account.failures = said.times;
      return {};
    case "decline":
      account.declines = said.on;
      return {};
    case "advance":
      account.offset += said.seconds;
      return {};
    case "endpoint":
      account.deliver = (event) => void postEvent(event, said.url, said.secret, 0);
      return {};
    case "deliver":
      return await deliverAll(account.events, said);
  }
}
