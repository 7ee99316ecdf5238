// oxlint-disable-next-line no-restricted-imports -- Everything else takes the one below.
import { useEffect as useHonoEffect, useLayoutEffect, useMemo } from "hono/jsx/dom";

type Effect = () => (() => void) | void;

/**
 * After the next frame: once for each set of dependencies, undone once, and never for a component that is gone by then.
 * Hono's own (4.13) is also run where its component went before that frame, and twice where the component was rendered
 * again before it; how to undo the first is forgotten then, so that a listener would stay for ever.
 */
export function useEffect(effect: Effect, dependencies: readonly unknown[]): void {
  const { begin, end } = useMemo(createRun, dependencies);
  useLayoutEffect(() => end, dependencies);
  useHonoEffect(() => begin(effect), dependencies);
}

function createRun() {
  let state: "waiting" | "begun" | "over" = "waiting";
  let undo: ReturnType<Effect>;
  return {
    begin: (effect: Effect) => {
      if (state !== "waiting") return;
      state = "begun";
      undo = effect();
    },
    end: () => {
      state = "over";
      undo?.();
    },
  };
}
