import { createContext, useContext } from "hono/jsx/dom";
import type { Config, Me } from "../schemas.ts";

export interface AppState {
  config: Config;
  me: Me;
  /** Says a sentence to a screen reader without moving the focus. */
  announce: (sentence: string) => void;
}

export const AppContext = createContext<AppState | undefined>(undefined);

export function useApp(): AppState {
  const state = useContext(AppContext);
  if (state === undefined) throw new Error("used outside of the signed-in page");
  return state;
}
