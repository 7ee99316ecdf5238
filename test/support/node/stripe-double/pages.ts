import { change, found, payCheckout, type Account } from "./account.ts";

export interface Page {
  readonly status: number;
  readonly location?: string;
  readonly html?: string;
}

const escape = (text: string): string => text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);

const document = (title: string, body: string): Page => ({
  status: 200,
  html: `<!doctype html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,"><title>${title}</title><h1>${title}</h1>${body}`,
});

const button = (value: string, text: string): string =>
  `<form method="post"><button name="do" value="${value}">${text}</button></form>`;

/** The checkout page and its pay button. */
export function checkoutPage(account: Account, id: string, pressed: string | undefined): Page {
  const session = found(account.sessions, "checkout.session", id);
  if (pressed === "pay") {
    payCheckout(account, id);
    const location = (session.success_url ?? "").replace("{CHECKOUT_SESSION_ID}", id);
    return { status: 303, location };
  }
  if (session.status !== "open") return document("Checkout", "<p>This checkout has ended.</p>");
  const amount = ((session.amount_total ?? 0) / 100).toFixed(2);
  const count = escape(session.metadata?.["quantity"] ?? "");
  const back = `<p><a href="${escape(session.cancel_url ?? "")}">Back</a></p>`;
  return document(
    "Checkout",
    `<p>${count} connections, €${amount} a month.</p>${button("pay", "Pay")}${back}`,
  );
}

/** The customer portal: end the subscription, go on with it, pay what is owed. */
export function portalPage(account: Account, id: string, pressed: string | undefined): Page {
  const session = found(account.portals, "billing_portal.session", id);
  const own = [...account.subscriptions.values()].filter(
    ({ customer, status }) => customer === session.customer && status !== "canceled",
  );
  for (const subscription of own) {
    if (pressed === "cancel_later" || pressed === "go_on" || pressed === "pay") {
      change(account, subscription, pressed);
    }
  }
  const buttons = [
    button("cancel_later", "Cancel subscription"),
    button("go_on", "Renew subscription"),
    button("pay", "Pay invoice"),
  ];
  const states = own.map(
    ({ status, cancel_at }) => `<li>${status}${cancel_at === null ? "" : ", ends"}</li>`,
  );
  const back = `<p><a href="${escape(session.return_url ?? "")}">Return</a></p>`;
  return document("Billing", `<ul>${states.join("")}</ul>${buttons.join("")}${back}`);
}
