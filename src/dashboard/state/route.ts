import { useEffect, useRef, useSyncExternalStore } from "hono/jsx/dom";

/** Routes live in the fragment: the server never sees where in the page somebody is. */
export type Route =
  | { view: "connections" }
  | { view: "gallery" }
  | { view: "connect"; service: string }
  | { view: "again"; connection: string }
  | { view: "missing" };

export const hrefs = {
  connections: "#/",
  gallery: "#/connect",
  connect: (service: string) => `#/connect/${encodeURIComponent(service)}`,
  again: (connection: string) => `#/again/${encodeURIComponent(connection)}`,
};

function parseRoute(hash: string): Route {
  const parts = hash.replace(/^#\/?/, "").split("/").filter(Boolean);
  const [first, second] = parts;
  if (first === undefined) return { view: "connections" };
  if (first === "again" && second !== undefined && parts.length === 2) {
    return { view: "again", connection: decode(second) };
  }
  if (first !== "connect" || parts.length > 2) return { view: "missing" };
  return second === undefined ? { view: "gallery" } : { view: "connect", service: decode(second) };
}

export function useRoute(): Route {
  return parseRoute(useSyncExternalStore(onHashChange, () => location.hash));
}

/** Names the view in the title, and moves the focus to its heading when it was reached from another view. */
export function useViewHeading(title: string, brand: string) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · ${brand}`;
  }, [title, brand]);
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
