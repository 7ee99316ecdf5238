import type { Child } from "hono/jsx";
import type { Config, Me } from "../schemas.ts";
import { signOut } from "../session.ts";
import { hrefs, type Route } from "../state/route.ts";
import { ExternalLink } from "./external-link.tsx";
import { Icon, type IconName } from "./icons.tsx";
import { useEffect } from "../state/use-effect.ts";
import { useState } from "../state/use-state.ts";

interface Props {
  config?: Config | undefined;
  me?: Me | undefined;
  /** The current view marks its entry; without a route there is nothing to go to, and no navigation. */
  route?: Route | undefined;
  announcement?: string;
  children: Child;
}

export function Shell({ config, me, route, announcement = "", children }: Props) {
  const person = me?.email ?? me?.name;
  return (
    <>
      <button type="button" class="skip button" onClick={skipToContent}>
        Skip to the content
      </button>
      <header class="header">
        <div class="header-inner">
          <a class="brand" href={hrefs.connections}>
            <span class="brand-mark">
              <Icon name="brand" />
            </span>
            <span class="brand-name">{config?.brand_name ?? "Bindify"}</span>
          </a>
          {route ? <Navigation view={route.view} /> : null}
          {route ? (
            <div class="account">
              {person ? <span class="person">{person}</span> : null}
              <button type="button" class="button button-quiet" onClick={() => void signOut("by_choice")}>
                Sign out
              </button>
            </div>
          ) : null}
        </div>
      </header>
      <main class="main" id="main" tabIndex={-1}>
        {children}
      </main>
      <footer class={route ? "footer footer-nav" : "footer"}>
        <p>
          <Icon name="lock" />
          By default, what is stored opens with your credential only.
        </p>
        <ul class="footer-links">
          <li>
            <a class="link" href="/docs">
              API
            </a>
          </li>
          <li>
            <a class="link" href="/security">
              Security
            </a>
          </li>
          {config?.support_form && route ? (
            <li>
              <a class="link" href={hrefs.support}>
                Support
              </a>
            </li>
          ) : null}
          {config?.support_url ? (
            <li>
              <ExternalLink url={config.support_url}>Help</ExternalLink>
            </li>
          ) : null}
        </ul>
      </footer>
      <p class="sr-only" aria-live="polite">
        {announcement}
      </p>
      <OfflineBar />
    </>
  );
}

interface Entry {
  href: string;
  words: string;
  icon: IconName;
  views: readonly Route["view"][];
}

const entries: readonly Entry[] = [
  {
    href: hrefs.connections,
    words: "Connections",
    icon: "link",
    views: ["connections", "detail", "again"],
  },
  { href: hrefs.gallery, words: "Add", icon: "plus", views: ["gallery", "connect"] },
  { href: hrefs.activity, words: "Activity log", icon: "clock", views: ["activity"] },
  { href: hrefs.tokens, words: "API tokens", icon: "key", views: ["tokens"] },
  { href: hrefs.account, words: "Account", icon: "person", views: ["account", "billing"] },
];

/** In the header, and on a phone at the lower edge, where a thumb is. */
function Navigation({ view }: { view: Route["view"] }) {
  return (
    <nav class="nav" aria-label="Main">
      {entries.map(({ href, words, icon, views }) => (
        <a key={href} class="nav-link" href={href} aria-current={views.includes(view) ? "page" : undefined}>
          <Icon name={icon} />
          {words}
        </a>
      ))}
    </nav>
  );
}

/** A link to a fragment would be a route here. */
function skipToContent(): void {
  document.querySelector<HTMLElement>("#main")?.focus();
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
