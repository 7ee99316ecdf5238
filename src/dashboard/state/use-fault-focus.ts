import { useRef } from "hono/jsx/dom";
import type { Failure } from "../api.ts";
import { useEffect } from "./use-effect.ts";

/** After a refusal the focus goes to the first input at fault: by keyboard or reader that is where one goes on. */
export function useFaultFocus(failure: Failure | undefined) {
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (failure === undefined) return;
    const invalid = form.current?.querySelector<HTMLElement>("[aria-invalid=true]");
    invalid?.closest("details")?.setAttribute("open", "");
    const target = invalid ?? form.current?.querySelector<HTMLElement>(".form-failure");
    target?.focus({ preventScroll: true });
    // In the middle, so that neither its label nor what is said about it is off the screen.
    target?.scrollIntoView({ block: "center" });
  }, [failure]);
  return form;
}
