import type { Child } from "hono/jsx";

interface Props {
  busy: boolean;
  quiet?: boolean;
  onDismiss: () => void;
  children: Child;
}

/** Gives up what is asked, but not while it is under way: that cannot be called back, and shows what came of it. */
export function DismissButton({ busy, quiet = false, onDismiss, children }: Props) {
  return (
    <button
      type="button"
      class={quiet ? "button button-quiet" : "button"}
      aria-disabled={busy ? "true" : "false"}
      onClick={() => {
        if (!busy) onDismiss();
      }}
    >
      {children}
    </button>
  );
}
