// oxlint-disable-next-line no-restricted-imports -- Everything else takes the one below.
import { useCallback, useState as useHonoState } from "hono/jsx/dom";
import { useHere } from "./use-here.ts";

type Next<T> = T | ((before: T) => T);

/**
 * State of a component, which changes no more once the component is gone. Hono's own (4.13) puts a component that is
 * gone back into the page at the second change: a view of before, with all that it showed.
 */
export function useState<T>(initial: T | (() => T)): [T, (next: Next<T>) => void] {
  const [value, set] = useHonoState<T>(initial);
  const here = useHere();
  const change = useCallback((next: Next<T>) => {
    if (here.current) set(next);
  }, []);
  return [value, change];
}
