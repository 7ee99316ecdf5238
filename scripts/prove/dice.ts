/** Chance that a seed repeats. */
export interface Dice {
  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number;
  chance(probability: number): boolean;
  /** Throws RangeError where there is nothing to choose from. */
  pick<T>(list: readonly T[]): T;
  /** Letters and digits. */
  text(length: number): string;
  /** Other dice, which this seed decides. */
  child(): Dice;
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** Mulberry32: the same numbers for the same seed. Nothing secret comes of it but canaries, which are worth nothing. */
export function createDice(seed: number): Dice {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const dice: Dice = {
    below: (limit) => Math.floor(next() * limit),
    chance: (probability) => next() < probability,
    pick: (list) => {
      const at = dice.below(list.length);
      for (const chosen of list.slice(at)) return chosen;
      throw new RangeError("there is nothing to choose from");
    },
    text: (length) => Array.from({ length }, () => alphabet.charAt(dice.below(alphabet.length))).join(""),
    child: () => createDice(dice.below(4_294_967_296)),
  };
  return dice;
}
