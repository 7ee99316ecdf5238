import type { Dice } from "./dice.ts";
import type { Secrets } from "./secrets.ts";

/** Requests that come from one address: with more of them mistakes alone would have it wait. */
const fromOneAddress = 10;

/** The address of the next request, each for some requests. */
export function createAddresses(dice: Dice, secrets: Secrets): () => string {
  let address = "";
  let left = 0;
  return () => {
    if (left === 0) address = makeAddress(dice, secrets);
    left = left === 0 ? fromOneAddress - 1 : left - 1;
    return address;
  };
}

/** An address of a client, of either kind; of IPv6 the network names a subscriber too. */
export function makeAddress(dice: Dice, secrets: Secrets): string {
  const numbers = (count: number, least: number, limit: number, base: number): string[] =>
    Array.from({ length: count }, () => (least + dice.below(limit - least)).toString(base));
  if (dice.chance(0.3)) {
    const address = numbers(4, 128, 224, 10).join(".");
    secrets.note("client's address", "nobody", address);
    return address;
  }
  const groups = ["2001", ...numbers(7, 4096, 65_536, 16)];
  secrets.note("client's address", "nobody", groups.slice(0, 4).join(":"));
  secrets.note("client's address", "nobody", groups.join(":"));
  return groups.join(":");
}
