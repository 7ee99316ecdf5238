import { useRef } from "hono/jsx/dom";
import type { Answer, Failure } from "../api.ts";
import { useAction } from "./use-action.ts";
import { useEffect } from "./use-effect.ts";
import { useState } from "./use-state.ts";

/** Another site that has not begun to answer by then is still waited for; the page can be used meanwhile. */
const departureMs = 8000;

interface Leaving {
  leaving: boolean;
  /** Has this tab go elsewhere. */
  leave: (go: () => void) => void;
}

/** Whether this tab is on its way to another site, which takes longer than the answer that named it. */
export function useLeaving(): Leaving {
  const [leaving, setLeaving] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  // Going back may show this very page again, from memory.
  useEffect(() => {
    const back = () => setLeaving(false);
    addEventListener("pageshow", back);
    return () => removeEventListener("pageshow", back);
  }, []);
  const leave = (go: () => void) => {
    setLeaving(true);
    go();
    // Who stops the page from leaving is still here: it serves again.
    clearTimeout(timer.current ?? undefined);
    timer.current = setTimeout(() => setLeaving(false), departureMs);
  };
  return { leaving, leave };
}

interface Departure<I> {
  /** Until the other page is there. */
  busy: boolean;
  failure: Failure | undefined;
  run: (input: I) => void;
}

/** A call whose answer, `go`, has this tab go elsewhere; not any more where the person is in another view by then. */
export function useDeparture<I>(ask: (input: I) => Promise<Answer<() => void>>): Departure<I> {
  const { leaving, leave } = useLeaving();
  const { busy, failure, run } = useAction(ask, leave);
  return {
    busy: busy || leaving,
    failure,
    run: (input) => {
      if (!leaving) run(input);
    },
  };
}
