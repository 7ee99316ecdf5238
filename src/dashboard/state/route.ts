import { useRef } from "hono/jsx/dom";
import { useEffect } from "./use-effect.ts";
import { useStore } from "./use-store.ts";

/** Routes live in the fragment: the server never sees where in the page somebody is. */
export type Route =
  | { view: "connections" }
  | { view: "gallery" }
  | { view: "connect"; service: string }
  | { view: "detail"; connection: string }
  | { view: "again"; connection: string }
  | { view: "activity"; connection: string | undefined }
  | { view: "tokens" }
  | { view: "account" }
  | { view: "billing" }
  | { view: "support" }
  | { view: "missing" };

export const hrefs = {
  connections: "#/",
  gallery: "#/connect",
  connect: (service: string) => `#/connect/${encodeURIComponent(service)}`,
  detail: (connection: string) => `#/connection/${encodeURIComponent(connection)}`,
  again: (connection: string) => `#/again/${encodeURIComponent(connection)}`,
  activity: "#/activity",
  activityOf: (connection: string) => `#/activity/${encodeURIComponent(connection)}`,
  tokens: "#/tokens",
  account: "#/account",
  billing: "#/billing",
  support: "#/support",
};

const alone: Readonly<Record<string, Route>> = {
  connect: { view: "gallery" },
  activity: { view: "activity", connection: undefined },
  tokens: { view: "tokens" },
  account: { view: "account" },
  billing: { view: "billing" },
  support: { view: "support" },
};

const withName: Readonly<Record<string, (name: string) => Route>> = {
  connect: (service) => ({ view: "connect", service }),
  connection: (connection) => ({ view: "detail", connection }),
  again: (connection) => ({ view: "again", connection }),
  activity: (connection) => ({ view: "activity", connection }),
};

function parseRoute(hash: string): Route {
  const [first, second, ...rest] = hash.replace(/^#\/?/, "").split("/").filter(Boolean);
  if (first === undefined) return { view: "connections" };
  const known =
    rest.length > 0 ? undefined : second === undefined ? alone[first] : withName[first]?.(decode(second));
  return known ?? { view: "missing" };
}

export function useRoute(): Route {
  return parseRoute(useStore(onHashChange, () => location.hash));
}

/** Names what is shown, as the browser's tab and its history have it. */
export function useTitle(title: string, brand: string): void {
  useEffect(() => {
    document.title = `${title} · ${brand}`;
  }, [title, brand]);
}

/** Names the view in the title, and moves the focus to its heading when it was reached from another view. */
export function useViewHeading(title: string, brand: string) {
  const heading = useRef<HTMLHeadingElement>(null);
  useTitle(title, brand);
  useEffect(() => {
    if (visited) {
      heading.current?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    visited = true;
  }, []);
  return heading;
}

// A page that has just loaded leaves the focus to the browser; only moving between views takes it.
let visited = false;

function onHashChange(listener: () => void): () => void {
  addEventListener("hashchange", listener);
  return () => removeEventListener("hashchange", listener);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
