/** Clerk's own scripts, from the Frontend API host that the publishable key names, and from nowhere else. */
import { beginSession, currentSession, endSession } from "../session.ts";

interface ClerkSession {
  readonly id: string;
  getToken(): Promise<string | null>;
}

export interface ClerkBrowser {
  readonly session: ClerkSession | null | undefined;
  load(options: { ui: { ClerkUI: unknown } }): Promise<void>;
  addListener(listener: () => void): () => void;
  mountSignIn(node: HTMLElement, options: { routing: "hash"; withSignUp: boolean }): void;
  unmountSignIn(node: HTMLElement): void;
  signOut(): Promise<void>;
}

declare global {
  var Clerk: ClerkBrowser | undefined;
}

let loading: Promise<ClerkBrowser> | undefined;

/** `pk_test_<base64 of "host$">`. */
const clerkHost = (publishableKey: string): string =>
  atob(publishableKey.split("_")[2] ?? "").replace(/\$$/, "");

/** Loads Clerk once, and from then on its sign-ins and sign-outs are this page's. A failure can be tried again. */
export function loadClerk(publishableKey: string): Promise<ClerkBrowser> {
  loading ??= start(publishableKey).catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function start(publishableKey: string): Promise<ClerkBrowser> {
  const packages = `https://${clerkHost(publishableKey)}/npm/@clerk`;
  await addScript(`${packages}/ui@1/dist/ui.browser.js`);
  await addScript(`${packages}/clerk-js@6/dist/clerk.browser.js`, publishableKey);
  const clerk = globalThis.Clerk;
  if (clerk === undefined) throw new Error("Clerk did not start");
  // The name under which Clerk's user interface package leaves itself for its core.
  const ClerkUI: unknown = Reflect.get(globalThis, "__internal_ClerkUICtor");
  await clerk.load({ ui: { ClerkUI } });
  clerk.addListener(() => follow(clerk));
  follow(clerk);
  return clerk;
}

/** Takes up Clerk's session once: one that the server refused is not tried again unless the person says so. */
export function resumeClerk(clerk: ClerkBrowser): void {
  adopted = undefined;
  follow(clerk);
}

let adopted: string | undefined;

function follow(clerk: ClerkBrowser): void {
  const id = clerk.session?.id;
  if (id === adopted) return;
  adopted = id;
  if (id === undefined) {
    if (currentSession().current !== undefined) endSession("expired");
    return;
  }
  beginSession({
    key: id,
    // Its tokens live a minute and Clerk renews them, so each call asks for one.
    bearer: async () =>
      clerk.session?.id === id ? ((await clerk.session.getToken()) ?? undefined) : undefined,
    signOut: () => clerk.signOut(),
  });
}

function addScript(source: string, publishableKey?: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = source;
    script.crossOrigin = "anonymous";
    if (publishableKey !== undefined) script.dataset["clerkPublishableKey"] = publishableKey;
    script.addEventListener("load", () => resolve());
    script.addEventListener("error", () => {
      script.remove();
      reject(new Error("The script did not load"));
    });
    document.head.append(script);
  });
}
