import { render } from "hono/jsx/dom";
import { App } from "./app.tsx";
import { adoptSignInLink } from "./session.ts";
import "./style.css";

// Before anything else runs: the token leaves the address bar, and with it what the history would keep.
adoptSignInLink();
// A sign-in link opened in a tab that already shows the page only changes the fragment: nothing reloads.
addEventListener("hashchange", adoptSignInLink);

const root = document.querySelector<HTMLElement>("#app");
if (root) render(<App />, root);
