/**
 * A person leaves for Stripe's pages and comes back. What survives in this tab's storage is only where they went: the
 * id of the checkout, which tells nothing without this user's token, or that it was the portal.
 */
import { api, type Answer } from "../api.ts";
import type { Billing } from "../billing-schemas.ts";
import { safeHref } from "../format.ts";
import { currentSession, onSessionChange } from "../session.ts";
import { hrefs } from "./route.ts";

const storageKey = "bindify.payment";
const portal = "portal";
const answer = `${hrefs.billing}?`;

const listeners = new Set<() => void>();
let cameFrom = takeStored();

export function onPaymentReturn(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Somebody is back from Stripe, and it has not been asked yet what came of it. */
export const isBack = (): boolean => cameFrom !== undefined;

/** Takes the id of the checkout out of the fragment: a reload would ask for it again. */
export function adoptPayment(): void {
  if (!location.hash.startsWith(answer)) return;
  const checkout = new URLSearchParams(location.hash.slice(answer.length)).get("checkout");
  history.replaceState(null, "", location.pathname + hrefs.billing);
  if (checkout) comeBack(checkout);
}

// A page that the browser kept whole shows again as it was left.
addEventListener("pageshow", ({ persisted }) => {
  const stored = persisted ? takeStored() : undefined;
  if (stored !== undefined) comeBack(stored);
});

/** `unknown`: that checkout is none of this person's. Otherwise Stripe's word, and null where there was none. */
export interface Known {
  billing: Billing;
  checkout: string | null;
}

/** The plan; of who is back from Stripe, as Stripe has it now and not as we last heard. */
export async function loadBilling(): Promise<Answer<Known>> {
  const from = cameFrom;
  if (from === undefined) return known(await api.billing(), null);
  const verified = await api.verifyBilling(from === portal ? undefined : from);
  if (verified.ok) {
    forget(from);
    return known(verified, verified.value.checkout);
  }
  const { failure } = verified;
  // Unanswered or failing there: the question stays, to be asked again.
  if (failure.kind !== "problem" || failure.status >= 500) return verified;
  forget(from);
  return known(await api.billing(), from === portal ? null : "unknown");
}

const known = (billing: Answer<Billing>, checkout: string | null): Answer<Known> =>
  billing.ok ? { ok: true, value: { billing: billing.value, checkout } } : billing;

/** How to go to Stripe's checkout page. */
export async function goToCheckout(quantity: number): Promise<Answer<() => void>> {
  const begun = await api.checkout(quantity);
  return begun.ok ? depart(begun.value.url, begun.value.session_id) : begun;
}

/** How to go to Stripe's page for cards, invoices and ending a subscription. */
export async function goToPortal(): Promise<Answer<() => void>> {
  const opened = await api.portal();
  return opened.ok ? depart(opened.value.url, portal) : opened;
}

/** A navigation of the whole tab: nothing of Stripe's is ever loaded into this page. */
function depart(url: string, place: string): Answer<() => void> {
  const href = safeHref(url);
  if (href === undefined) return { ok: false, failure: { kind: "unreadable", status: 200 } };
  const go = () => {
    sessionStorage.setItem(storageKey, place);
    location.assign(href);
  };
  return { ok: true, value: go };
}

function comeBack(from: string): void {
  sessionStorage.removeItem(storageKey);
  cameFrom = from;
  for (const listener of listeners) listener();
}

/** Another return may have come while the first was asked about. */
function forget(from: string): void {
  if (cameFrom === from) cameFrom = undefined;
}

function takeStored(): string | undefined {
  const stored = sessionStorage.getItem(storageKey);
  sessionStorage.removeItem(storageKey);
  return stored ?? undefined;
}

onSessionChange(() => {
  if (currentSession().current !== undefined) return;
  sessionStorage.removeItem(storageKey);
  cameFrom = undefined;
});
