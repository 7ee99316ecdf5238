import { render } from "hono/jsx/dom";
import { App } from "./app.tsx";
import { adoptSignInLink } from "./session.ts";
import { adoptPayment } from "./state/payment.ts";
import { adoptOidcAnswer } from "./state/oidc.ts";
import { adoptCallback } from "./state/sign-in-flow.ts";
import "./style.css";

// Before anything else runs: tokens and codes leave the address bar, and with it what the history would keep.
adoptOidcAnswer();
const adoptFragment = () => {
  if (adoptSignInLink()) return;
  adoptPayment();
  adoptCallback();
};
adoptFragment();
// A sign-in link opened in a tab that already shows the page only changes the fragment: nothing reloads.
addEventListener("hashchange", adoptFragment);

const root = document.querySelector<HTMLElement>("#app");
if (root) render(<App />, root);
