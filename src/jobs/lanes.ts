/** Simultaneous work: the platform holds further connections back anyway. */
const atOnce = 6;
/** Of these, for one provider: after an outage, what piled up must not arrive there at once. */
const perLane = 2;
/** A provider that failed so often in a row rests until the next run. */
const strikes = 3;
/** Rows looked at beyond the ones under way, to find providers with room. */
const lookAhead = 300;

interface Lanes<Row> {
  /** The next rows; none: there are no more. */
  readonly next: () => Promise<readonly Row[]>;
  /** The provider that a row's work bothers. */
  readonly laneOf: (row: Row) => string;
  /** Answers whether the provider did its part. */
  readonly work: (row: Row) => Promise<boolean>;
  /** Whether one more may begin; asked before each. */
  readonly mayBegin: () => boolean;
}

/**
 * Works rows off in their order, several at once, but few for one provider, and none for a provider that keeps
 * failing: neither a large nor a broken one holds up the others. Answers the rows of those that rest. What throws is
 * thrown on once everything that was begun has ended: a refresh that is cut off may lose its grant.
 */
export async function workInLanes<Row>(lanes: Lanes<Row>): Promise<readonly Row[]> {
  const { next, laneOf, work, mayBegin } = lanes;
  const waiting: Row[] = [];
  const running = new Set<Promise<void>>();
  const busy = new Map<string, number>();
  const failed = new Map<string, number>();
  const rests = (lane: string): boolean => (failed.get(lane) ?? 0) >= strikes;
  const errors: unknown[] = [];
  let more = true;

  const begin = async (row: Row): Promise<void> => {
    const lane = laneOf(row);
    busy.set(lane, (busy.get(lane) ?? 0) + 1);
    let succeeded = false;
    try {
      succeeded = await work(row);
    } catch (error) {
      errors.push(error);
    }
    busy.set(lane, (busy.get(lane) ?? 1) - 1);
    failed.set(lane, succeeded ? 0 : (failed.get(lane) ?? 0) + 1);
  };
  const look = async (): Promise<void> => {
    try {
      const page = await next();
      more = page.length > 0;
      waiting.push(...page);
    } catch (error) {
      more = false;
      errors.push(error);
    }
  };

  for (;;) {
    while (running.size < atOnce && mayBegin()) {
      const at = waiting.findIndex((row) => (busy.get(laneOf(row)) ?? 0) < perLane && !rests(laneOf(row)));
      const [row] = at < 0 ? [] : waiting.splice(at, 1);
      if (row !== undefined) {
        const one: Promise<void> = begin(row).finally(() => running.delete(one));
        running.add(one);
      } else if (more && waiting.length < lookAhead) {
        await look();
      } else break;
    }
    if (running.size === 0) break;
    await Promise.race(running);
  }
  if (errors.length > 0) throw errors[0];
  return waiting.filter((row) => rests(laneOf(row)));
}

/** A lane for an address: its host. */
export function hostOf(address: string): string {
  return URL.canParse(address) ? new URL(address).host : address;
}
