/** The middle value; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = Number.NaN, high = Number.NaN] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (low + high) / 2;
}

/** Median over the values that could be measured, or undefined where none could. */
export function known(values: readonly (number | undefined)[]): number | undefined {
  const present = values.filter((value) => value !== undefined);
  return present.length === 0 ? undefined : median(present);
}

/**
 * The median of the ratios of what was measured in the same round: what slows the machine down for a while slows
 * both, and leaves their ratio alone.
 */
export function ratio(
  above: readonly (number | undefined)[] | undefined,
  below: readonly (number | undefined)[] | undefined,
): number | undefined {
  if (above === undefined || below === undefined) return undefined;
  return known(
    above.map((value, round) => {
      const other = below[round];
      return value === undefined || other === undefined || other === 0 ? undefined : value / other;
    }),
  );
}

/** The same list, starting one further each round, so that no row always runs first. */
export function rotated<T>(list: readonly T[], round: number): T[] {
  const start = list.length === 0 ? 0 : round % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}
