import { useRef } from "hono/jsx/dom";
import type { Answer, Failure } from "../api.ts";
import { useHere } from "./use-here.ts";
import { useState } from "./use-state.ts";

interface Action<I> {
  busy: boolean;
  failure: Failure | undefined;
  /** Does nothing while the last one is under way, so that a double click acts once. */
  run: (input: I) => void;
  /** Lets go of what failed before, for a dialog that is opened again. */
  forget: () => void;
}

interface Options {
  /** What it brings is wanted even where whoever asked for it has left: a credential comes once. */
  always?: boolean;
}

let calls = 0;

/**
 * One call that a person asked for: at most one at a time, its failure kept for showing. What came of it is told only
 * while the component is there; `asked` counts calls of the whole page in the order in which they were begun.
 */
export function useAction<I, T>(
  act: (input: I) => Promise<Answer<T>>,
  onSuccess: (value: T, asked: number) => void,
  { always = false }: Options = {},
): Action<I> {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | undefined>(undefined);
  const underWay = useRef(false);
  const here = useHere();
  const perform = async (input: I): Promise<void> => {
    calls += 1;
    const asked = calls;
    underWay.current = true;
    setBusy(true);
    setFailure(undefined);
    const answer = await act(input);
    underWay.current = false;
    setBusy(false);
    if (!answer.ok) setFailure(answer.failure);
    else if (always || here.current) onSuccess(answer.value, asked);
  };
  const run = (input: I): void => {
    // `act` answers and does not throw: there is no rejection to miss.
    if (!underWay.current) void perform(input);
  };
  return { busy, failure, run, forget: () => setFailure(undefined) };
}
