/**
 * A sign-in leaves the page and comes back to it. What survives in this tab's storage is the `state`, which finishes
 * nothing without this user's token, and what was being done. A credential or code is only ever in memory.
 */
import * as z from "zod/mini";
import type { SignInAnswer } from "../api.ts";
import { currentSession, onSessionChange } from "../session.ts";

const storageKey = "bindify.sign_in";
const callback = "#/callback?";

const pendingSchema = z.object({
  state: z.string(),
  /** Where to begin again: a route of the page. */
  from: z.string(),
  label: z.string(),
  /** The person means to present the connection's credential, so that it stays. */
  keep: z.boolean(),
});
export type Pending = z.infer<typeof pendingSchema>;

export interface Returned {
  answer: SignInAnswer;
  /** Nothing where the sign-in was begun in another tab. */
  pending: Pending | undefined;
}

const listeners = new Set<() => void>();
let returned: Returned | undefined;

export const currentReturn = (): Returned | undefined => returned;

export function onReturnChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function rememberSignIn(pending: Pending): void {
  sessionStorage.setItem(storageKey, JSON.stringify(pending));
}

/** Takes the provider's answer out of the fragment, which the history would keep. */
export function adoptCallback(): void {
  if (!location.hash.startsWith(callback)) {
    // The person went elsewhere in the page.
    if (returned !== undefined) change(undefined);
    return;
  }
  const query = new URLSearchParams(location.hash.slice(callback.length));
  history.replaceState(null, "", location.pathname);
  const pending = takePending();
  const answer: SignInAnswer = { state: query.get("state") ?? "" };
  for (const name of ["code", "iss", "error", "error_description"] as const) {
    const value = query.get(name);
    if (value !== null) answer[name] = value;
  }
  change({ answer, pending: pending?.state === answer.state ? pending : undefined });
}

function takePending(): Pending | undefined {
  const text = sessionStorage.getItem(storageKey);
  sessionStorage.removeItem(storageKey);
  if (text === null) return undefined;
  try {
    return pendingSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function change(next: Returned | undefined): void {
  returned = next;
  for (const listener of listeners) listener();
}

onSessionChange(() => {
  if (currentSession().current === undefined) sessionStorage.removeItem(storageKey);
});
