/** What a connection's counts show that is new for it. Names and numbers only: nothing of a call is kept. */
export type AnomalyKind = "many_calls" | "many_renewals" | "many_refusals" | "after_silence";

export interface Anomaly {
  readonly kind: AnomalyKind;
  /** The numbers that it was found by. */
  readonly numbers: Readonly<Record<string, number>>;
}

/** One day of a connection, and what is usual for it. */
export interface DayOfUse {
  readonly requests: number;
  /** Calls that were answered with 400 and above, or not at all. */
  readonly errors: number;
  readonly refreshes: number;
  /** Days since its owner last connected it or signed in to it. */
  readonly age: number;
  /** Of the busiest of the `compared` days before. */
  readonly busiest_requests: number;
  readonly busiest_refreshes: number;
  /** 1 where one of those days had a burst of refusals too. */
  readonly refused_before: number;
  /** 1 where the refusals have a cause that the owner is told of: the service is down, or wants a sign-in. */
  readonly explained: number;
  /** 1 where nobody called on any of the `silence` days before. */
  readonly silent_before: number;
}

/** From where on a day stands out: below, no comparison is made. */
export const floors = {
  requests: 500,
  /** Tokens that live for an hour are renewed 24 times a day in ordinary use. */
  refreshes: 50,
  errors: 50,
} as const;

/** Days before, which a day is compared with. */
export const compared = 14;
/** Days without a call after which the next stands out: counts are kept no longer. */
export const silence = 90;
/** A connection younger than this many days has no usual yet. */
const known = 7;
const timesTheCalls = 10;
const timesTheRenewals = 5;
/** Percent of a day's calls. */
export const refusedShare = 80;

/** All that is unusual about a day. Each compares the connection with itself only. */
export function anomaliesOf(use: DayOfUse): readonly Anomaly[] {
  const found: Anomaly[] = [];
  const { requests, errors, refreshes } = use;
  if (use.silent_before === 1 && requests > 0 && use.age >= silence) {
    found.push({ kind: "after_silence", numbers: { days: silence } });
  }
  if (use.age >= known && requests >= floors.requests && requests > timesTheCalls * use.busiest_requests) {
    found.push({ kind: "many_calls", numbers: { calls: requests, busiest_day: use.busiest_requests } });
  }
  if (
    use.age >= known &&
    refreshes >= floors.refreshes &&
    refreshes > timesTheRenewals * use.busiest_refreshes
  ) {
    found.push({
      kind: "many_renewals",
      numbers: { renewals: refreshes, busiest_day: use.busiest_refreshes },
    });
  }
  if (
    errors >= floors.errors &&
    errors * 100 > requests * refusedShare &&
    use.refused_before === 0 &&
    use.explained === 0
  ) {
    found.push({ kind: "many_refusals", numbers: { refusals: errors, calls: requests } });
  }
  return found;
}
