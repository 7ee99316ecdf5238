import { useState } from "hono/jsx/dom";
import type { Answer, Failure } from "../api.ts";
import { useAction } from "./use-action.ts";
import { useEffect } from "./use-effect.ts";

interface Departure<I> {
  /** Until the other page is there, which takes longer than the answer. */
  busy: boolean;
  failure: Failure | undefined;
  run: (input: I) => void;
}

/** A call that ends with this tab going elsewhere. */
export function useDeparture<I>(leave: (input: I) => Promise<Answer<unknown>>): Departure<I> {
  const [leaving, setLeaving] = useState(false);
  const { busy, failure, run } = useAction(leave, () => setLeaving(true));
  // Going back may show this very page again, from memory.
  useEffect(() => {
    const back = () => setLeaving(false);
    addEventListener("pageshow", back);
    return () => removeEventListener("pageshow", back);
  }, []);
  return {
    busy: busy || leaving,
    failure,
    run: (input) => {
      if (!leaving) run(input);
    },
  };
}
