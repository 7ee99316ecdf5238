/** The database's own clock, ms since the epoch: isolates' clocks differ, this one is shared. */
export const databaseNow = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

/** Identifiers of ours: `<prefix>_<32 hex>`, e.g. `con_9f…`. Random, so they say nothing about order or count. */
export type Id = string;

export interface Page<T> {
  readonly items: readonly T[];
  /** Give it back to get the next page; null on the last. */
  readonly nextCursor: string | null;
}
