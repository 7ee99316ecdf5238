import type Stripe from "stripe";
import type { Clock } from "../lib/clock.ts";
import { minute } from "../lib/clock.ts";
import type { StripeClient } from "./client.ts";

/** What connections cost. Amounts are decimal text in the currency's smallest unit: Stripe knows fractions of a cent. */
export interface Price {
  /** ISO 4217, lower case. */
  readonly currency: string;
  readonly interval: string | null;
  readonly interval_count: number | null;
  /** `graduated`: each connection costs what its tier says. `volume`: all cost what the last one's tier says. */
  readonly tiers_mode: string | null;
  readonly tiers: readonly Tier[];
}

interface Tier {
  /** The last connection of this tier; null: there is no last. */
  readonly up_to: number | null;
  readonly unit_amount: string;
  readonly flat_amount: string;
}

export type PriceReader = () => Promise<Price>;

/** How long an isolate goes on with what it read. */
const fresh = 5 * minute;

/** Reads the price from Stripe, and again every five minutes. */
export function createPriceReader(stripe: StripeClient, priceId: string, clock: Clock): PriceReader {
  let kept: { readonly at: number; readonly price: Price } | undefined;
  return async () => {
    if (kept !== undefined && clock() - kept.at < fresh) return kept.price;
    const client = await stripe();
    const price = priceOf(await client.prices.retrieve(priceId, { expand: ["tiers"] }));
    kept = { at: clock(), price };
    return price;
  };
}

function priceOf(price: Stripe.Price): Price {
  const flat = {
    up_to: null,
    unit_amount: amount(price.unit_amount_decimal, price.unit_amount),
    flat_amount: "0",
  };
  return {
    currency: price.currency,
    interval: price.recurring?.interval ?? null,
    interval_count: price.recurring?.interval_count ?? null,
    tiers_mode: price.tiers_mode,
    tiers: price.tiers?.map((tier) => ({
      up_to: tier.up_to,
      unit_amount: amount(tier.unit_amount_decimal, tier.unit_amount),
      flat_amount: amount(tier.flat_amount_decimal, tier.flat_amount),
    })) ?? [flat],
  };
}

function amount(decimal: { toString(): string } | null, whole: number | null): string {
  return decimal?.toString() ?? String(whole ?? 0);
}
