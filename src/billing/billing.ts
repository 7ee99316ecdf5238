import type { Subscriptions } from "../store/subscriptions.ts";
import type { BillingEvents } from "../store/billing-events.ts";
import type { PriceReader } from "./price.ts";
import type { StripeClient } from "./client.ts";

/** Billing of this deployment, where it has any. */
export interface Billing {
  /** ms */
  readonly trial: number;
  /** The page's address where people see and change their plan. */
  readonly page: string;
  readonly priceId: string;
  readonly webhookSecret: string;
  /** Days that audit events are kept. */
  readonly auditDays: { readonly ended: number; readonly trial: number; readonly paid: number };
  readonly stripe: StripeClient;
  readonly price: PriceReader;
}

export interface PlanDeps {
  readonly billing: Billing | undefined;
  readonly stores: { readonly subscriptions: Subscriptions };
}

export interface BillingDeps extends PlanDeps {
  readonly billing: Billing;
  readonly stores: { readonly subscriptions: Subscriptions; readonly billingEvents: BillingEvents };
}
