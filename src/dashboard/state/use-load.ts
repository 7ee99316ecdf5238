import { useCallback, useRef } from "hono/jsx/dom";
import type { Answer, Failure } from "../api.ts";
import { useEffect } from "./use-effect.ts";
import { useState } from "./use-state.ts";

export type Loaded<T> =
  | { state: "loading" }
  | { state: "failed"; failure: Failure }
  | { state: "ready"; value: T };

/** Loads once, again on `reload`, and by itself when the network comes back after a failure. */
export function useLoad<T>(load: () => Promise<Answer<T>>): { loaded: Loaded<T>; reload: () => void } {
  const [loaded, setLoaded] = useState<Loaded<T>>({ state: "loading" });
  const newest = useRef(0);
  const reload = useCallback(() => {
    const turn = newest.current + 1;
    newest.current = turn;
    const settle = async (): Promise<void> => {
      const answer = await load();
      // An answer that was overtaken by a later call is old news.
      if (newest.current !== turn) return;
      setLoaded(
        answer.ok ? { state: "ready", value: answer.value } : { state: "failed", failure: answer.failure },
      );
    };
    void settle();
  }, [load]);
  useEffect(() => {
    reload();
    return () => {
      newest.current += 1;
    };
  }, [reload]);
  useEffect(() => {
    if (loaded.state !== "failed") return undefined;
    addEventListener("online", reload);
    return () => removeEventListener("online", reload);
  }, [loaded.state, reload]);
  return { loaded, reload };
}
