/**
 * Who is signed in, in this tab. sessionStorage and not localStorage: it ends with the tab, and no other tab can read
 * it. There is no cookie of ours, so no other site can make the browser act with it.
 */
import { claimsOf } from "./jwt.ts";

const storageKey = "bindify.token";
const localIssuer = "urn:bindify:local";
/** A token that ends this soon is renewed first, where that is possible. */
const renewAheadMs = 30_000;

export type SignedOutReason = "never" | "by_choice" | "only_here" | "expired" | "bad_link" | "erased";

export interface SignedIn {
  /** Differs from one sign-in to the next, and says nothing. */
  readonly key: string;
  /** The token for the next call; nothing where the sign-in is over. May reject without a network. */
  readonly bearer: () => Promise<string | undefined>;
  /** Ends it at the identity provider too, where there is something to end. */
  readonly signOut?: () => Promise<void>;
}

export type Session = { current: SignedIn } | { current: undefined; reason: SignedOutReason };

const listeners = new Set<() => void>();
let session: Session = readStored();

export const currentSession = (): Session => session;

export function onSessionChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function beginSession(current: SignedIn): void {
  change({ current });
}

export function endSession(reason: SignedOutReason): void {
  sessionStorage.removeItem(storageKey);
  change({ current: undefined, reason });
}

/** Ends it here in any case, and at the identity provider if it can be reached. */
export async function signOut(reason: "by_choice" | "erased"): Promise<void> {
  try {
    await session.current?.signOut?.();
    endSession(reason);
  } catch {
    endSession("only_here");
  }
}

/** Signs in with a token, kept for a reload. `renew` fetches the next one; it is lost with a reload. */
export function keepToken(token: string, renew?: () => Promise<string | undefined>): void {
  sessionStorage.setItem(storageKey, token);
  change({ current: tokenSession(token, renew) });
}

/** Moves the token of `#sign_in=<JWT>` into this tab's storage and drops the fragment; false where it is not there. */
export function adoptSignInLink(): boolean {
  const prefix = "#sign_in=";
  if (!location.hash.startsWith(prefix)) return false;
  const token = decodeURIComponentSafely(location.hash.slice(prefix.length));
  history.replaceState(null, "", location.pathname);
  if (isUsableLocalToken(token)) keepToken(token);
  else if (session.current === undefined) change({ current: undefined, reason: "bad_link" });
  return true;
}

function tokenSession(first: string, renew?: () => Promise<string | undefined>): SignedIn {
  let token = first;
  let renewing: Promise<string | undefined> | undefined;
  const bearer = async (): Promise<string> => {
    const { exp } = claimsOf(token);
    if (renew === undefined || exp === undefined || exp * 1000 > Date.now() + renewAheadMs) return token;
    renewing ??= renew();
    const next = await renewing;
    renewing = undefined;
    if (next === undefined) return token;
    token = next;
    sessionStorage.setItem(storageKey, token);
    return token;
  };
  return { key: crypto.randomUUID(), bearer };
}

function readStored(): Session {
  const token = sessionStorage.getItem(storageKey);
  return token === null ? { current: undefined, reason: "never" } : { current: tokenSession(token) };
}

function change(next: Session): void {
  session = next;
  for (const listener of listeners) listener();
}

/**
 * Only a token of the local issuer may arrive in a link. If any token did, an attacker could lure somebody
 * into the attacker's own account of a public deployment and have them connect their key there (login CSRF).
 * The signature is the server's business: it refuses the local issuer wherever local identity is off.
 */
function isUsableLocalToken(token: string): boolean {
  const { iss, exp } = claimsOf(token);
  return iss === localIssuer && exp !== undefined && exp * 1000 > Date.now();
}

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}
