import type { Child } from "hono/jsx";
import type { Failure } from "../api.ts";
import { useFaultFocus } from "../state/use-fault-focus.ts";
import { DismissButton } from "./dismiss-button.tsx";
import { FormFailure } from "./form-failure.tsx";

interface Props {
  busy: boolean;
  failure: Failure | undefined;
  /** Heads what is said about a refusal. */
  refused: string;
  /** Paths of the inputs that the form shows. */
  inputs: readonly string[];
  /** What a person should know when no answer came, so that nobody can tell whether it happened. */
  whenUnknown: string;
  action: string;
  /** Where giving up leads; without it there is nothing to give up. */
  cancel?: string;
  onCancel?: () => void;
  onSubmit: (data: FormData) => void;
  children: Child;
}

/** A form on a panel: it keeps what was typed, says what is wrong in one place, and takes the focus there. */
export function FormPanel(props: Props) {
  const { busy, failure, refused, inputs, whenUnknown, action, cancel, onCancel, onSubmit, children } = props;
  const form = useFaultFocus(failure);
  const submit = (event: Event) => {
    event.preventDefault();
    if (form.current) onSubmit(new FormData(form.current));
  };
  return (
    <form ref={form} class="panel" autocomplete="off" aria-busy={busy ? "true" : "false"} onSubmit={submit}>
      {children}
      <div role="alert">
        {failure ? (
          <FormFailure title={refused} failure={failure} besideInputs={inputs} whenUnknown={whenUnknown} />
        ) : null}
      </div>
      <div class="actions">
        <button type="submit" class="button button-primary" aria-disabled={busy ? "true" : "false"}>
          {action}
        </button>
        {cancel === undefined ? null : (
          <a class="button button-quiet" href={cancel}>
            Cancel
          </a>
        )}
        {onCancel === undefined ? null : (
          <DismissButton busy={busy} quiet onDismiss={onCancel}>
            Cancel
          </DismissButton>
        )}
      </div>
    </form>
  );
}
