import type { Child } from "hono/jsx";
import { useId, useRef } from "hono/jsx/dom";
import { explain, type Failure } from "../api.ts";
import { useEffect } from "../state/use-effect.ts";
import { useHere } from "../state/use-here.ts";
import { DismissButton } from "./dismiss-button.tsx";

interface Props {
  title: string;
  action: string;
  dismiss: string;
  tone: "primary" | "danger";
  busy?: boolean;
  failure?: Failure | undefined;
  /** Given what was typed into the dialog's fields. */
  onConfirm: (data: FormData) => void;
  onClose: () => void;
  children: Child;
}

/** A native modal dialog: the browser holds the focus inside it, and Escape closes it unless something is under way. */
export function ConfirmDialog(props: Props) {
  const { title, action, dismiss, tone, busy = false, failure, onConfirm, onClose, children } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const form = useRef<HTMLFormElement>(null);
  const id = useId();
  const here = useHere();
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    // Closing, not just removing, is what gives the focus back to where it was.
    return () => element?.close();
  }, []);
  // What is under way cannot be called back: it stays in sight until it is known what came of it.
  const keepOpen = (event: Event) => {
    if (busy) event.preventDefault();
  };
  const closed = () => {
    if (!here.current) return;
    // A browser closes a dialog at the second Escape, whatever the page says.
    if (busy) dialog.current?.showModal();
    else onClose();
  };
  const submit = (event: Event) => {
    event.preventDefault();
    if (form.current) onConfirm(new FormData(form.current));
  };
  // Said beside a field already.
  const beside = failure?.kind === "problem" && failure.errors.size > 0;
  return (
    <dialog
      ref={dialog}
      class="dialog"
      aria-labelledby={`${id}title`}
      aria-describedby={`${id}text`}
      onCancel={keepOpen}
      onClose={closed}
    >
      <form ref={form} autocomplete="off" onSubmit={submit}>
        <h2 id={`${id}title`}>{title}</h2>
        <div id={`${id}text`} class="dialog-text">
          {children}
        </div>
        <div role="alert">{failure && !beside ? <p class="field-error">{explain(failure)}</p> : null}</div>
        <div class="actions actions-end">
          <DismissButton busy={busy} onDismiss={() => dialog.current?.close()}>
            {dismiss}
          </DismissButton>
          <button type="submit" class={`button button-${tone}`} aria-disabled={busy ? "true" : "false"}>
            {action}
          </button>
        </div>
      </form>
    </dialog>
  );
}
