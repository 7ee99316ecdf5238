import { Stripe } from "stripe";

/** The version that the SDK was made for. */
export const apiVersion = "2026-10-28.endive";

/** Ten for 5 euros each, the others for 3.50: graduated, a month at a time. */
const tiers = [
  { up_to: 10, cents: 500 },
  { up_to: null, cents: 350 },
] as const;

export function costOf(quantity: number): number {
  const first = Math.min(quantity, 10);
  return first * tiers[0].cents + (quantity - first) * tiers[1].cents;
}

const recurring = {
  interval: "month",
  interval_count: 1,
  meter: null,
  trial_period_days: null,
  usage_type: "licensed",
} as const;

export function makePrice(id: string, now: number): Stripe.Price {
  return {
    id,
    object: "price",
    active: true,
    billing_scheme: "tiered",
    created: now,
    currency: "eur",
    custom_unit_amount: null,
    livemode: false,
    lookup_key: null,
    metadata: {},
    nickname: null,
    product: "prod_connections",
    recurring,
    tax_behavior: "unspecified",
    tiers: tiers.map(({ up_to, cents }) => ({
      up_to,
      flat_amount: null,
      flat_amount_decimal: null,
      unit_amount: cents,
      unit_amount_decimal: Stripe.Decimal.from(String(cents)),
    })),
    tiers_mode: "graduated",
    transform_quantity: null,
    type: "recurring",
    unit_amount: null,
    unit_amount_decimal: null,
  } satisfies Stripe.Price;
}

export function makeCustomer(
  id: string,
  now: number,
  wanted: { readonly email?: string | undefined; readonly metadata: Readonly<Record<string, string>> },
): Stripe.Customer {
  return {
    id,
    object: "customer",
    balance: 0,
    created: now,
    default_source: null,
    description: null,
    email: wanted.email ?? null,
    invoice_settings: {
      custom_fields: null,
      default_payment_method: null,
      footer: null,
      rendering_options: null,
    },
    livemode: false,
    metadata: { ...wanted.metadata },
    shipping: null,
  } satisfies Stripe.Customer;
}

interface WantedSubscription {
  readonly id: string;
  readonly item: string;
  readonly customer: string;
  readonly price: Stripe.Price;
  readonly quantity: number;
  readonly now: number;
  readonly metadata: Readonly<Record<string, string>>;
}

export const month = 30 * 24 * 3600;

export function makeSubscription(wanted: WantedSubscription): Stripe.Subscription {
  const { id, now, price, quantity } = wanted;
  return {
    id,
    object: "subscription",
    application: null,
    application_fee_percent: null,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null },
    billing_cycle_anchor: now,
    billing_cycle_anchor_config: null,
    billing_mode: { flexible: null, type: "classic" },
    billing_schedules: [],
    billing_thresholds: null,
    cancel_at: null,
    cancel_at_period_end: false,
    canceled_at: null,
    cancellation_details: null,
    collection_method: "charge_automatically",
    created: now,
    currency: price.currency,
    customer: wanted.customer,
    customer_account: null,
    days_until_due: null,
    default_payment_method: null,
    default_source: null,
    description: null,
    discounts: [],
    ended_at: null,
    invoice_settings: {
      account_tax_ids: null,
      custom_fields: null,
      description: null,
      footer: null,
      issuer: { type: "self" },
    },
    items: {
      object: "list",
      data: [makeItem(wanted)],
      has_more: false,
      url: `/v1/subscription_items?subscription=${id}`,
    },
    latest_invoice: null,
    livemode: false,
    managed_payments: null,
    metadata: { ...wanted.metadata },
    next_pending_invoice_item_invoice: null,
    on_behalf_of: null,
    pause_collection: null,
    payment_settings: null,
    pending_invoice_item_interval: null,
    pending_setup_intent: null,
    pending_update: null,
    schedule: null,
    start_date: now,
    status: quantity > 0 ? "active" : "incomplete",
    test_clock: null,
    transfer_data: null,
    trial_end: null,
    trial_settings: null,
    trial_start: null,
  } satisfies Stripe.Subscription;
}

function makeItem({ id, item, now, price, quantity }: WantedSubscription): Stripe.SubscriptionItem {
  return {
    id: item,
    object: "subscription_item",
    billing_thresholds: null,
    created: now,
    current_period_end: now + month,
    current_period_start: now,
    current_trial: null,
    discounts: [],
    metadata: {},
    plan: {
      id: price.id,
      object: "plan",
      active: true,
      amount: null,
      amount_decimal: null,
      billing_scheme: "tiered",
      created: price.created,
      currency: price.currency,
      interval: "month",
      interval_count: 1,
      livemode: false,
      metadata: {},
      meter: null,
      nickname: null,
      product: "prod_connections",
      tiers_mode: "graduated",
      transform_usage: null,
      trial_period_days: null,
      usage_type: "licensed",
    },
    price,
    quantity,
    subscription: id,
    tax_rates: [],
  } satisfies Stripe.SubscriptionItem;
}
