import { useEffect } from "./use-effect.ts";

/** While the component is there the browser asks before the page is left: what is shown is nowhere else. */
export function useLeaveWarning(): void {
  useEffect(() => {
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, []);
}
