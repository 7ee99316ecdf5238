import { useLayoutEffect, useRef } from "hono/jsx/dom";

/** `current` says whether the component is still there: answers come when they come. */
export function useHere(): { readonly current: boolean | null } {
  const here = useRef(true);
  useLayoutEffect(() => {
    here.current = true;
    return () => {
      here.current = false;
    };
  }, []);
  return here;
}
