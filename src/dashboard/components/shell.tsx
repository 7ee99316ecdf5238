import type { Child } from "hono/jsx";
import { useEffect, useState } from "hono/jsx/dom";
import type { Config, Me } from "../schemas.ts";
import { endSession } from "../session.ts";
import { hrefs, type Route } from "../state/route.ts";
import { ExternalLink } from "./external-link.tsx";
import { Icon } from "./icons.tsx";

interface Props {
  config?: Config | undefined;
  me?: Me | undefined;
  /** The current view marks its entry; without a route there is nothing to go to, and no navigation. */
  route?: Route | undefined;
  announcement?: string;
  children: Child;
}

export function Shell({ config, me, route, announcement = "", children }: Props) {
  const person = me?.email;
  return (
    <>
      <header class="header">
        <div class="header-inner">
          <a class="brand" href={hrefs.connections}>
            <span class="brand-mark">
              <Icon name="brand" />
            </span>
            {config?.brand_name ?? "Bindify"}
          </a>
          {route ? (
            <nav class="nav" aria-label="Main">
              <NavLink
                href={hrefs.connections}
                current={route.view === "connections" || route.view === "again"}
                words="Connections"
              />
              <NavLink
                href={hrefs.gallery}
                current={route.view === "gallery" || route.view === "connect"}
                words="Services"
              />
            </nav>
          ) : null}
          {route ? (
            <div class="account">
              {person ? <span class="person">{person}</span> : null}
              <button type="button" class="button button-quiet" onClick={() => endSession("by_choice")}>
                Sign out
              </button>
            </div>
          ) : null}
        </div>
      </header>
      <main class="main" id="main">
        {children}
      </main>
      <footer class="footer">
        <p>
          <Icon name="lock" />
          By default, what is stored opens with your credential only.
        </p>
        <ExternalLink url={config?.support_url}>Help</ExternalLink>
      </footer>
      <p class="sr-only" aria-live="polite">
        {announcement}
      </p>
      <OfflineBar />
    </>
  );
}

function NavLink({ href, current, words }: { href: string; current: boolean; words: string }) {
  return (
    <a class="nav-link" href={href} aria-current={current ? "page" : undefined}>
      {words}
    </a>
  );
}

/** Lies over the page and does not push it. */
function OfflineBar() {
  const [online, setOnline] = useState(navigator.onLine);
  useEffect(() => {
    const update = () => setOnline(navigator.onLine);
    addEventListener("online", update);
    addEventListener("offline", update);
    return () => {
      removeEventListener("online", update);
      removeEventListener("offline", update);
    };
  }, []);
  return (
    <div class="offline-bar" role="status" data-shown={online ? "false" : "true"}>
      {online ? null : (
        <p>
          <Icon name="offline" />
          You are offline. What is on the page may be out of date.
        </p>
      )}
    </div>
  );
}
