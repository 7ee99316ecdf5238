import type Stripe from "stripe";
import { apiVersion } from "./objects.ts";

interface WantedInvoice {
  readonly id: string;
  readonly customer: string;
  readonly now: number;
  readonly total: number;
  readonly paid: boolean;
  readonly subscription: string;
  readonly reason: "subscription_create" | "subscription_cycle" | "subscription_update" | "upcoming";
}

export function makeInvoice({
  id,
  customer,
  now,
  total,
  paid,
  subscription,
  reason,
}: WantedInvoice): Stripe.Invoice {
  return {
    id,
    object: "invoice",
    account_country: "DE",
    account_name: null,
    account_tax_ids: null,
    amount_due: Math.max(total, 0),
    amount_overpaid: 0,
    amount_paid: paid ? Math.max(total, 0) : 0,
    amount_remaining: paid ? 0 : Math.max(total, 0),
    amount_shipping: 0,
    application: null,
    attempt_count: 1,
    attempted: true,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null, provider: null, status: null },
    automatically_finalizes_at: null,
    billing_reason: reason,
    collection_method: "charge_automatically",
    created: now,
    currency: "eur",
    custom_fields: null,
    customer,
    customer_account: null,
    customer_address: null,
    customer_email: null,
    customer_name: null,
    customer_phone: null,
    customer_shipping: null,
    customer_tax_exempt: null,
    default_payment_method: null,
    default_source: null,
    default_tax_rates: [],
    description: null,
    discounts: [],
    due_date: null,
    effective_at: now,
    ending_balance: 0,
    footer: null,
    from_invoice: null,
    issuer: { type: "self" },
    last_finalization_error: null,
    latest_revision: null,
    lines: { object: "list", data: [], has_more: false, url: `/v1/invoices/${id}/lines` },
    livemode: false,
    metadata: {},
    next_payment_attempt: null,
    number: null,
    on_behalf_of: null,
    parent: {
      type: "subscription_details",
      quote_details: null,
      subscription_details: { metadata: {}, subscription },
    },
    payment_settings: { default_mandate: null, payment_method_options: null, payment_method_types: null },
    period_end: now,
    period_start: now,
    post_payment_credit_notes_amount: 0,
    pre_payment_credit_notes_amount: 0,
    receipt_number: null,
    rendering: null,
    shipping_cost: null,
    shipping_details: null,
    starting_balance: 0,
    statement_descriptor: null,
    status: paid ? "paid" : "open",
    status_transitions: {
      finalized_at: now,
      marked_uncollectible_at: null,
      paid_at: paid ? now : null,
      voided_at: null,
    },
    subtotal: total,
    subtotal_excluding_tax: total,
    test_clock: null,
    total,
    total_discount_amounts: [],
    total_excluding_tax: total,
    total_pretax_credit_amounts: [],
    total_taxes: [],
    webhooks_delivered_at: null,
  } satisfies Stripe.Invoice;
}

interface WantedSession {
  readonly id: string;
  readonly url: string;
  readonly now: number;
  readonly customer: string;
  readonly reference: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly successUrl: string;
  readonly cancelUrl: string;
  readonly total: number;
}

export function makeSession(wanted: WantedSession): Stripe.Checkout.Session {
  return {
    id: wanted.id,
    object: "checkout.session",
    adaptive_pricing: null,
    after_expiration: null,
    allow_promotion_codes: null,
    allowed_payment_method_types: null,
    amount_subtotal: wanted.total,
    amount_total: wanted.total,
    automatic_tax: { enabled: false, liability: null, provider: null, status: null },
    billing_address_collection: null,
    cancel_url: wanted.cancelUrl,
    client_reference_id: wanted.reference,
    client_secret: null,
    collected_information: null,
    consent: null,
    consent_collection: null,
    created: wanted.now,
    currency: "eur",
    currency_conversion: null,
    custom_fields: [],
    custom_text: {
      after_submit: null,
      shipping_address: null,
      submit: null,
      terms_of_service_acceptance: null,
    },
    customer: wanted.customer,
    customer_account: null,
    customer_creation: null,
    customer_details: null,
    customer_email: null,
    discounts: [],
    expires_at: wanted.now + 24 * 3600,
    integration_identifier: null,
    invoice: null,
    invoice_creation: null,
    livemode: false,
    locale: null,
    managed_payments: null,
    metadata: { ...wanted.metadata },
    mode: "subscription",
    origin_context: null,
    payment_intent: null,
    payment_link: null,
    payment_method_collection: "always",
    payment_method_configuration_details: null,
    payment_method_options: null,
    payment_method_types: ["card"],
    payment_status: "unpaid",
    permissions: null,
    recovered_from: null,
    saved_payment_method_options: null,
    setup_intent: null,
    shipping_address_collection: null,
    shipping_cost: null,
    shipping_options: [],
    status: "open",
    submit_type: null,
    subscription: null,
    success_url: wanted.successUrl,
    total_details: null,
    ui_mode: "hosted_page",
    url: wanted.url,
    wallet_options: null,
  } satisfies Stripe.Checkout.Session;
}

export function makePortalSession(
  id: string,
  url: string,
  now: number,
  customer: string,
  returnUrl: string,
): Stripe.BillingPortal.Session {
  return {
    id,
    object: "billing_portal.session",
    configuration: "bpc_double",
    created: now,
    customer,
    customer_account: null,
    flow: null,
    livemode: false,
    locale: null,
    on_behalf_of: null,
    return_url: returnUrl,
    url,
  } satisfies Stripe.BillingPortal.Session;
}

export interface DoubleEvent extends Omit<Stripe.Event, "type" | "data"> {
  readonly type: string;
  /** The object as it was when the event came about. */
  readonly data: { readonly object: unknown };
}

export function makeEvent(id: string, type: Stripe.Event.Type, object: object, now: number): DoubleEvent {
  return {
    id,
    object: "event",
    api_version: apiVersion,
    created: now,
    livemode: false,
    pending_webhooks: 1,
    request: { id: null, idempotency_key: null },
    type,
    // As it goes over the wire: amounts are classes of the SDK.
    data: { object: JSON.parse(JSON.stringify(object)) as unknown },
  } satisfies DoubleEvent;
}
