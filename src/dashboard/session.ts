/**
 * The bearer token of this tab. sessionStorage and not localStorage: it ends with the tab, and no other tab can
 * read it. There is no cookie, so no other site can make the browser act with it.
 */
const storageKey = "bindify.token";
const localIssuer = "urn:bindify:local";

export type SignedOutReason = "never" | "by_choice" | "expired" | "bad_link";
export type Session = { token: string } | { token: undefined; reason: SignedOutReason };

const listeners = new Set<() => void>();
let session: Session = readStored();

export const currentSession = (): Session => session;

export function onSessionChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function endSession(reason: SignedOutReason): void {
  sessionStorage.removeItem(storageKey);
  change({ token: undefined, reason });
}

/** Moves the token of `#sign_in=<JWT>` into this tab's storage and drops the fragment; false where it is not there. */
export function adoptSignInLink(): boolean {
  const prefix = "#sign_in=";
  if (!location.hash.startsWith(prefix)) return false;
  const token = decodeURIComponentSafely(location.hash.slice(prefix.length));
  history.replaceState(null, "", location.pathname);
  if (isUsableLocalToken(token)) {
    sessionStorage.setItem(storageKey, token);
    change({ token });
  } else if (session.token === undefined) {
    change({ token: undefined, reason: "bad_link" });
  }
  return true;
}

function readStored(): Session {
  const token = sessionStorage.getItem(storageKey);
  return token === null ? { token: undefined, reason: "never" } : { token };
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
  const payload = token.split(".")[1];
  if (payload === undefined) return false;
  try {
    const claims: unknown = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/")));
    if (typeof claims !== "object" || claims === null) return false;
    if (!("iss" in claims) || claims.iss !== localIssuer) return false;
    return "exp" in claims && typeof claims.exp === "number" && claims.exp * 1000 > Date.now();
  } catch {
    return false;
  }
}

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}
