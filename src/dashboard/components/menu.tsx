import { useRef } from "hono/jsx/dom";
import { useEffect } from "../state/use-effect.ts";

export interface MenuItem {
  words: string;
  /** The accessible name, which says of what. */
  name: string;
  danger?: boolean;
  /** A route, or what to do. */
  act: string | (() => void);
}

interface Props {
  words: string;
  name: string;
  /** For giving the focus back after an item's work is done. */
  id: string;
  items: MenuItem[];
}

/** A disclosure and not an ARIA menu: a short list of buttons and links that Tab goes through. */
export function Menu({ words, name, id, items }: Props) {
  const details = useRef<HTMLDetailsElement>(null);
  const close = () => details.current?.removeAttribute("open");
  useEffect(() => {
    const outside = (event: Event) => {
      if (event.target instanceof Node && !details.current?.contains(event.target)) close();
    };
    addEventListener("pointerdown", outside);
    addEventListener("focusin", outside);
    return () => {
      removeEventListener("pointerdown", outside);
      removeEventListener("focusin", outside);
    };
  }, []);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !details.current?.open) return;
    close();
    details.current.querySelector("summary")?.focus();
  };
  const choose = (act: MenuItem["act"]) => {
    // A dialog gives the focus back to what had it, which must not be inside the closed menu.
    details.current?.querySelector("summary")?.focus();
    close();
    if (typeof act === "function") act();
  };
  return (
    <details ref={details} class="menu" onKeyDown={onKeyDown}>
      <summary class="button button-quiet" data-menu={id} aria-label={name}>
        {words}
      </summary>
      <div class="menu-items">
        {items.map((item) => {
          const className = item.danger ? "menu-item menu-item-danger" : "menu-item";
          return typeof item.act === "string" ? (
            <a key={item.words} class={className} href={item.act} aria-label={item.name}>
              {item.words}
            </a>
          ) : (
            <button
              key={item.words}
              type="button"
              class={className}
              aria-label={item.name}
              onClick={() => choose(item.act)}
            >
              {item.words}
            </button>
          );
        })}
      </div>
    </details>
  );
}
