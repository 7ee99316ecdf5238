import { useRef } from "hono/jsx/dom";
import type { Connected } from "../schemas.ts";
import { useEffect } from "./use-effect.ts";
import { useState } from "./use-state.ts";

/** `asked`: which call brought it, counted over the whole page. */
export type OnConnected = (connected: Connected, asked: number) => void;

interface Arrivals {
  /** The credential that is shown until the person has saved it, the oldest of those that came. */
  first: Connected | undefined;
  add: OnConnected;
  /** The first one is saved. */
  dismiss: () => void;
}

/**
 * Credentials come once, and maybe late: none takes the place of another one that is not saved yet. Of one connection
 * only that of the newest call opens anything.
 */
export function useArrivals(): Arrivals {
  const [arrived, setArrived] = useState<readonly Connected[]>([]);
  const newest = useRef(new Map<string, number>());
  // A browser may keep a page that was left, and show it again to whoever goes back.
  useEffect(() => {
    const clear = () => setArrived([]);
    addEventListener("pagehide", clear);
    return () => removeEventListener("pagehide", clear);
  }, []);
  return {
    first: arrived[0],
    add: (connected, asked) => {
      const { id } = connected.connection;
      if (asked < (newest.current?.get(id) ?? 0)) return;
      newest.current?.set(id, asked);
      setArrived((before) => [...before.filter((one) => one.connection.id !== id), connected]);
    },
    dismiss: () => setArrived((before) => before.slice(1)),
  };
}
