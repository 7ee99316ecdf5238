import type { Child } from "hono/jsx";
import { explain, type Failure } from "../api.ts";
import { Icon } from "./icons.tsx";
import { WholeHeading } from "./whole-heading.tsx";

interface NoticeProps {
  tone: "info" | "warn" | "bad";
  title?: string;
  children: Child;
}

export function Notice({ tone, title, children }: NoticeProps) {
  return (
    <div class={`notice notice-${tone}`}>
      <Icon name={tone === "info" ? "check" : "warning"} />
      <div>
        {title === undefined ? null : <p class="notice-title">{title}</p>}
        {children}
      </div>
    </div>
  );
}

interface LoadFailureProps {
  what: string;
  failure: Failure;
  retry: () => void;
  /** Stands for a whole view, which has a heading in any state. */
  whole?: boolean;
}

/** What a view shows in place of the data it could not get. */
export function LoadFailure({ what, failure, retry, whole = false }: LoadFailureProps) {
  const title = `${what} could not be loaded`;
  return (
    <div class="placeholder" role="alert">
      <Icon name={failure.kind === "no_answer" ? "offline" : "warning"} />
      {whole ? <WholeHeading title={title} /> : <h2>{title}</h2>}
      <p>{explain(failure)}</p>
      <button type="button" class="button" onClick={retry}>
        Try again
      </button>
    </div>
  );
}
