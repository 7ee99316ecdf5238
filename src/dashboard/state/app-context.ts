import { createContext, useContext } from "hono/jsx/dom";

export interface AppState {
  brand: string;
  /** What an app of the person's own has to allow as its redirect address. */
  callbackUrl: string;
  /** Says a sentence to a screen reader without moving the focus. */
  announce: (sentence: string) => void;
}

export const AppContext = createContext<AppState>({
  brand: "Bindify",
  callbackUrl: "",
  announce: () => undefined,
});

export const useApp = (): AppState => useContext(AppContext);
