import type { Child } from "hono/jsx";
import { safeHref } from "../format.ts";
import { Icon } from "./icons.tsx";

interface Props {
  url: string | null | undefined;
  class?: string;
  children: Child;
}

/** Renders nothing where the address is not one to open. */
export function ExternalLink({ url, class: className = "link", children }: Props) {
  const href = safeHref(url);
  if (href === undefined) return null;
  return (
    <a class={className} href={href} target="_blank" rel="noopener noreferrer">
      {children}
      <Icon name="external" />
      <span class="sr-only">(opens in a new tab)</span>
    </a>
  );
}
