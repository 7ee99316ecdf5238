import type { Child } from "hono/jsx";
import { useEffect, useId, useRef } from "hono/jsx/dom";
import { explain, type Failure } from "../api.ts";

interface Props {
  title: string;
  action: string;
  busy: boolean;
  failure?: Failure | undefined;
  onConfirm: () => void;
  onClose: () => void;
  children: Child;
}

/** A native modal dialog: the browser holds the focus inside it, and Escape closes it. */
export function ConfirmDialog({ title, action, busy, failure, onConfirm, onClose, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    // Closing, not just removing, is what gives the focus back to where it was.
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      class="dialog"
      aria-labelledby={`${id}title`}
      aria-describedby={`${id}text`}
      onClose={onClose}
    >
      <h2 id={`${id}title`}>{title}</h2>
      <div id={`${id}text`}>{children}</div>
      <div role="alert">{failure ? <p class="field-error">{explain(failure)}</p> : null}</div>
      <div class="actions actions-end">
        <button type="button" class="button" onClick={() => dialog.current?.close()}>
          Keep it
        </button>
        <button
          type="button"
          class="button button-danger"
          aria-disabled={busy ? "true" : "false"}
          onClick={onConfirm}
        >
          {action}
        </button>
      </div>
    </dialog>
  );
}
