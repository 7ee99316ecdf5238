import { useRef, useState } from "hono/jsx/dom";
import type { Answer, Failure } from "../api.ts";

interface Action<I> {
  busy: boolean;
  failure: Failure | undefined;
  /** Does nothing while the last one is under way, so that a double click acts once. */
  run: (input: I) => void;
}

/** One call that a person asked for: at most one at a time, its failure kept for showing. */
export function useAction<I, T>(
  act: (input: I) => Promise<Answer<T>>,
  onSuccess: (value: T) => void,
): Action<I> {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | undefined>(undefined);
  const underWay = useRef(false);
  const perform = async (input: I): Promise<void> => {
    underWay.current = true;
    setBusy(true);
    setFailure(undefined);
    const answer = await act(input);
    underWay.current = false;
    setBusy(false);
    if (answer.ok) onSuccess(answer.value);
    else setFailure(answer.failure);
  };
  const run = (input: I): void => {
    // `act` answers and does not throw: there is no rejection to miss.
    if (!underWay.current) void perform(input);
  };
  return { busy, failure, run };
}
