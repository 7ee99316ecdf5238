import { useEffect } from "./use-effect.ts";
import { useState } from "./use-state.ts";

type Subscribe = (listener: () => void) => () => void;

/**
 * What a store outside of the components has now, and again whenever it changes. Hono's `useSyncExternalStore` stays
 * subscribed where its component is gone before the next frame, and would put what is gone back into the page.
 */
export function useStore<T>(subscribe: Subscribe, read: () => T): T {
  const [, setTurn] = useState(0);
  const value = read();
  useEffect(() => {
    const update = () => setTurn((turn) => turn + 1);
    const end = subscribe(update);
    // It may have changed before anybody listened.
    if (!Object.is(value, read())) update();
    return end;
  }, [subscribe]);
  return value;
}
