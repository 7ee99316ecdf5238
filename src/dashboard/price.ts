/** What a number of connections costs, and how that is said. */
import type { Price } from "./billing-schemas.ts";
import { count, plural } from "./format.ts";

// Stripe's smallest units, which are not always those of ISO 4217: https://docs.stripe.com/currencies#zero-decimal
const withoutDecimals = new Set("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split(" "));
const withThree = new Set("bhd jod kwd omr tnd".split(" "));

const digitsOf = (currency: string): number =>
  withoutDecimals.has(currency) ? 0 : withThree.has(currency) ? 3 : 2;

/** An amount in the smallest unit; `finest` digits more where a unit costs fractions of it. */
export function money(amount: number, currency: string, finest = 0): string {
  const digits = digitsOf(currency.toLowerCase());
  return new Intl.NumberFormat("en", {
    style: "currency",
    currency,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits + finest,
  }).format(amount / 10 ** digits);
}

/** How many fall into a tier, and what they cost there. */
interface Share {
  connections: number;
  unit: number;
  flat: number;
}

/** `graduated`: each connection costs what its own tier says. `volume`: all cost what the last one's tier says. */
function sharesOf({ tiers, tiers_mode: mode }: Price, quantity: number): Share[] {
  const shares: Share[] = [];
  let from = 0;
  for (const { up_to: last, unit_amount: unit, flat_amount: flat } of tiers) {
    const until = Math.min(quantity, last ?? quantity);
    const first = mode === "volume" ? 0 : from;
    from = last ?? quantity;
    const reached = mode === "volume" ? until === quantity && shares.length === 0 : until > first;
    if (reached) shares.push({ connections: until - first, unit: Number(unit), flat: Number(flat) });
  }
  return shares;
}

export const totalOf = (price: Price, quantity: number): number =>
  Math.round(
    sharesOf(price, quantity).reduce(
      (sum, { connections, unit, flat }) => sum + connections * unit + flat,
      0,
    ),
  );

const unitOf = (amount: number, price: Price): string => money(amount, price.currency, 6);

/** `10 × €5.00 + 2 × €3.50`; nothing where that says no more than the total. */
export function breakdownOf(price: Price, quantity: number): string {
  const parts = sharesOf(price, quantity).flatMap(({ connections, unit, flat }) => [
    ...(unit === 0 ? [] : [`${count(connections)} × ${unitOf(unit, price)}`]),
    ...(flat === 0 ? [] : [money(flat, price.currency)]),
  ]);
  return quantity === 1 && parts.length < 2 ? "" : parts.join(" + ");
}

/** `a month`, `every 3 months`; nothing where it is paid once. */
export function periodWords({ interval, interval_count: every }: Price): string {
  if (interval === null) return "";
  if (every === null || every === 1) return interval === "hour" ? "an hour" : `a ${interval}`;
  return `every ${plural(every, interval)}`;
}

/** A sentence for each tier. */
export function tierWords(price: Price): string[] {
  const { tiers, tiers_mode: mode, currency } = price;
  const period = periodWords(price);
  return tiers.map(({ up_to: last, unit_amount, flat_amount }, index) => {
    const before = tiers[index - 1]?.up_to ?? 0;
    const [unit, flat] = [Number(unit_amount), Number(flat_amount)];
    const which = mode === "volume" ? inAll(before, last) : ofTheirs(before, last);
    const parts = [
      ...(unit === 0 && flat !== 0 ? [] : [`${unitOf(unit, price)} ${period} for ${which.each}`]),
      ...(flat === 0 ? [] : [`${money(flat, currency)} ${period} for ${which.together}`]),
    ];
    return parts.join(", and ").replaceAll("  ", " ");
  });
}

interface Which {
  each: string;
  together: string;
}

const every: Which = { each: "each connection", together: "all connections together" };

/** The connections of a tier, where each belongs to one. */
function ofTheirs(before: number, last: number | null): Which {
  if (last === null) {
    return before === 0 ? every : { each: "each further one", together: "all further ones together" };
  }
  if (last === before + 1) {
    const one = before === 0 ? "the first connection" : `connection ${count(last)}`;
    return { each: one, together: one };
  }
  const some =
    before === 0
      ? `the first ${count(last)} connections`
      : `connections ${count(before + 1)} to ${count(last)}`;
  return { each: `each of ${some}`, together: `${some} together` };
}

/** All connections, where their number is what decides. */
function inAll(before: number, last: number | null): Which {
  if (last === null && before === 0) return every;
  const number = last === null ? `more than ${count(before)}` : `${count(before + 1)} to ${count(last)}`;
  return { each: `each of ${number}`, together: `${number} together` };
}
