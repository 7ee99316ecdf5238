// oxlint-disable-next-line no-restricted-imports -- Everything else takes the one below.
import { useEffect as useHonoEffect, useLayoutEffect, useMemo } from "hono/jsx/dom";

type Effect = () => (() => void) | void;

/**
 * After the next frame: once for each set of dependencies, undone once, and never for a component that is gone by then.
 * Hono's own (4.13) is also run where its component went before that frame, and twice where the component was rendered
 * again before it; how to undo the first is forgotten then, so that a listener would stay for ever.
 */
export function useEffect(effect: Effect, dependencies: readonly unknown[]): void {
  const { arm, run } = useMemo(createRun, dependencies);
  useLayoutEffect(arm, dependencies);
  useHonoEffect(() => run(effect), dependencies);
}

function createRun() {
  let isDue = false;
  let undo: ReturnType<Effect>;
  return {
    // As soon as the component is there, which is again where an error boundary shows it once more.
    arm: () => {
      isDue = true;
      return () => {
        isDue = false;
        undo?.();
        undo = undefined;
      };
    },
    run: (effect: Effect) => {
      if (!isDue) return;
      isDue = false;
      undo = effect();
    },
  };
}
