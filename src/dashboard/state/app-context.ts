import { createContext, useContext } from "hono/jsx/dom";

export interface AppState {
  brand: string;
  /** Says a sentence to a screen reader without moving the focus. */
  announce: (sentence: string) => void;
}

export const AppContext = createContext<AppState>({ brand: "Bindify", announce: () => undefined });

export const useApp = (): AppState => useContext(AppContext);
