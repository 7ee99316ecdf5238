import { second, type Clock } from "../lib/clock.ts";
import type { Connections } from "../store/connections.ts";

/** How old an answer about a connection may be, ms. With the check's own interval it stays under 30 s. */
const freshFor = 10 * second;
/** D1 binds 100 values at most. */
const idsPerQuery = 90;

interface Sighting {
  readonly at: number;
  readonly active: boolean;
}

/**
 * What this isolate's open streams know of their connections. Only plain values are shared: the platform forbids
 * one request to wait on another's promise.
 */
const open = new Map<string, number>();
const sightings = new Map<string, Sighting>();

export type WatchVerdict = "go_on" | "reconnect" | "stop";

export interface Watch {
  /** Whether the stream may go on. At most one query, and none while another stream's answer is fresh. */
  check(): Promise<WatchVerdict>;
  end(): void;
}

/**
 * Watches one open stream. `budget` is how many queries this stream may spend (the platform counts them per
 * invocation); when it is spent, the client is asked to reconnect.
 */
export function watchStream(
  connectionId: string,
  budget: number,
  connections: Pick<Connections, "activeAmong">,
  clock: Clock,
): Watch {
  let left = budget;
  let ended = false;
  open.set(connectionId, (open.get(connectionId) ?? 0) + 1);

  return {
    async check() {
      let seen = sightings.get(connectionId);
      if (seen === undefined || clock() - seen.at >= freshFor) {
        if (left <= 0) return "reconnect";
        left -= 1;
        await refresh(connectionId, connections, clock);
        seen = sightings.get(connectionId);
      }
      return seen?.active === true ? "go_on" : "stop";
    },
    end() {
      if (ended) return;
      ended = true;
      const others = (open.get(connectionId) ?? 1) - 1;
      if (others > 0) open.set(connectionId, others);
      else {
        open.delete(connectionId);
        sightings.delete(connectionId);
      }
    },
  };
}

async function refresh(
  first: string,
  connections: Pick<Connections, "activeAmong">,
  clock: Clock,
): Promise<void> {
  const due = [...open.keys()].filter((id) => id !== first && isDue(id, clock));
  const ids = [first, ...due.slice(0, idsPerQuery - 1)];
  const active = await connections.activeAmong(ids);
  const at = clock();
  for (const id of ids) if (open.has(id)) sightings.set(id, { at, active: active.has(id) });
}

function isDue(id: string, clock: Clock): boolean {
  const seen = sightings.get(id);
  return seen === undefined || clock() - seen.at >= freshFor;
}
