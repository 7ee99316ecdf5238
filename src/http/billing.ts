import { Hono } from "hono";
import type { Billing } from "../billing/billing.ts";
import { beginCheckout, openPortal, verifyCheckout } from "../billing/checkout.ts";
import type { Price } from "../billing/price.ts";
import { changeQuantity, previewQuantity } from "../billing/quantity.ts";
import { entitlementFor, settle, syncCustomer } from "../billing/settle.ts";
import { stripeFault } from "../billing/client.ts";
import { day, minute } from "../lib/clock.ts";
import { Fault } from "../lib/fault.ts";
import { errorKind } from "../lib/log.ts";
import type { PlanRow } from "../store/subscriptions.ts";
import type { User } from "../store/users.ts";
import type { AppContext, AppEnv, Runtime } from "./context.ts";
import { readJson } from "./json-body.ts";
import * as schemas from "./schemas/billing.ts";
import { requireUser } from "./session.ts";

/** Who sees a plan that is not paid for may have paid without our having heard of it: ask, but not at each look. */
const askAgain = minute;

/** What a connection costs, what this person pays for, and the ways to Stripe. */
export const billing = new Hono<AppEnv>()
  .get("/", async (c) => {
    const { user, runtime, deps } = await enter(c, "read");
    await refresh(user, runtime, deps.billing);
    return c.json(await view(user, runtime, deps.billing));
  })
  .post("/checkout", async (c) => {
    const { user, runtime, deps } = await enter(c, "owner");
    const wanted = await readJson(c.req.raw, schemas.checkoutBody);
    const page = pageFor(wanted.return_to, runtime);
    const session = await asked(runtime, () =>
      beginCheckout(user, { quantity: wanted.quantity, page }, deps),
    );
    return c.json({ url: session.url, session_id: session.id });
  })
  .post("/verify", async (c) => {
    const { user, runtime, deps } = await enter(c, "owner");
    const { session_id: id } = await readJson(c.req.raw, schemas.verifyBody);
    const checkout = await asked(runtime, () => verifyCheckout(user, id, deps));
    return c.json({ checkout, ...(await view(user, runtime, deps.billing)) });
  })
  .post("/portal", async (c) => {
    const { user, runtime, deps } = await enter(c, "owner");
    const { return_to: target } = await readJson(c.req.raw, schemas.portalBody);
    const url = await asked(runtime, () => openPortal(user, pageFor(target, runtime), deps));
    return c.json({ url });
  })
  .post("/quantity", async (c) => {
    const { user, runtime, deps } = await enter(c, "owner");
    const wanted = await readJson(c.req.raw, schemas.quantityBody);
    if (wanted.preview) {
      const preview = await asked(runtime, () => previewQuantity(user, wanted.quantity, deps));
      return c.json({ quantity: wanted.quantity, ...preview });
    }
    await asked(runtime, () =>
      changeQuantity(user, wanted.quantity, dateOf(wanted.proration_date, runtime), deps),
    );
    return c.json(await view(user, runtime, deps.billing));
  });

export function requireBilling({ billing: configured }: Runtime): Billing {
  if (configured === undefined) throw new Fault("billing_not_configured");
  return configured;
}

/** To pay, or to see and change how, takes the person: no program does it for them. */
async function enter(c: AppContext, needs: "read" | "owner") {
  const { runtime } = c.env;
  const user = await requireUser(c, needs);
  const configured = requireBilling(runtime);
  return { user, runtime, deps: { ...runtime, billing: configured } };
}

async function asked<T>(runtime: Runtime, question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (error) {
    const fault = stripeFault(error);
    if (fault !== error) runtime.log({ event: "billing_failed", error: errorKind(error) });
    throw fault;
  }
}

/** Stripe sends people back to the page alone: another address would be an open redirect with our name on it. */
function pageFor(wanted: string | undefined, { site }: Runtime): string {
  const origin = wanted ?? site.adminUrls[0];
  if (site.adminUrls.includes(origin)) return `${origin}/#/billing`;
  const message = "must be an origin of the dashboard.";
  throw new Fault("invalid_request", { errors: [{ path: "return_to", message }] });
}

/** Stripe refuses a date outside the period; one of a preview that was left lying counts as none. */
function dateOf(date: number | undefined, { clock }: Runtime): number | undefined {
  return date === undefined || Math.abs(clock() - date * 1000) > day / 24 ? undefined : date;
}

/** A person who looks at an unpaid plan is the first to notice a message that was lost. */
async function refresh(user: User, runtime: Runtime, configured: Billing): Promise<void> {
  const row = await runtime.stores.subscriptions.read(user.workspace_id);
  if (row === null) return;
  const { plan } = entitlementFor(row, row.facts, configured);
  const isStale = row.fetched_at === null || row.now - row.fetched_at > askAgain;
  try {
    if (row.customer_id !== null && plan !== "active" && isStale) {
      await syncCustomer(row.customer_id, null, { ...runtime, billing: configured });
    } else if (plan !== row.plan) await settle(user.workspace_id, runtime);
  } catch (error) {
    // What is stored is shown then.
    runtime.log({ event: "billing_failed", error: errorKind(error) });
  }
}

async function view(user: User, runtime: Runtime, configured: Billing) {
  const row = await runtime.stores.subscriptions.read(user.workspace_id);
  if (row === null) throw new Fault("storage_unavailable", { retryAfter: 1 });
  const { facts } = row;
  const hasSubscription = facts !== null && facts.subscription_id !== null;
  return {
    plan: planOf(row, configured),
    trial_ends_at: iso(row.since + configured.trial),
    connections: { active: row.active, suspended: row.suspended },
    subscription: hasSubscription
      ? {
          status: facts.status,
          quantity: facts.quantity,
          current_period_end: iso(facts.period_end),
          cancel_at: iso(facts.cancel_at),
          past_due_since: iso(facts.past_due_since),
        }
      : null,
    has_portal: row.customer_id !== null,
    price: await priceOf(runtime, configured),
  };
}

/** Null where Stripe does not answer: the rest of the page needs no price. */
async function priceOf(runtime: Runtime, configured: Billing): Promise<Price | null> {
  try {
    return await configured.price();
  } catch (error) {
    runtime.log({ event: "billing_failed", error: errorKind(error) });
    return null;
  }
}

function planOf(row: Pick<PlanRow, "since" | "now" | "facts">, configured: Billing | undefined) {
  const { plan, allowed, until, reason } = entitlementFor(row, row.facts, configured);
  // No limit is null: JSON has no infinity.
  return { name: plan, allowed: Number.isFinite(allowed) ? allowed : null, until: iso(until), reason };
}

/** The plan as the profile shows it. */
export async function viewPlan(user: User, runtime: Runtime): Promise<ReturnType<typeof planOf>> {
  if (runtime.billing === undefined) return planOf({ since: 0, now: 0, facts: null }, undefined);
  const row = await runtime.stores.subscriptions.read(user.workspace_id);
  if (row === null) throw new Fault("storage_unavailable", { retryAfter: 1 });
  return planOf(row, runtime.billing);
}

function iso(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
