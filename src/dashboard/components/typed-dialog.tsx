import type { Child } from "hono/jsx";
import type { Failure } from "../api.ts";
import { ConfirmDialog } from "./confirm-dialog.tsx";
import { Field } from "./field.tsx";
import { useState } from "../state/use-state.ts";

interface Props {
  title: string;
  action: string;
  /** What has to be typed, letter by letter. */
  phrase: string;
  busy: boolean;
  failure: Failure | undefined;
  onConfirm: (data: FormData) => void;
  onClose: () => void;
  children: Child;
}

/** For what nobody can bring back: a click alone is not enough. */
export function TypedDialog({ title, action, phrase, busy, failure, onConfirm, onClose, children }: Props) {
  const [wrong, setWrong] = useState(false);
  const confirm = (data: FormData) => {
    const right = folded(data.get("typed")) === folded(phrase);
    setWrong(!right);
    if (right) onConfirm(data);
  };
  return (
    <ConfirmDialog
      title={title}
      action={busy ? "Deleting …" : action}
      dismiss="Keep it"
      tone="danger"
      busy={busy}
      failure={failure}
      onConfirm={confirm}
      onClose={onClose}
    >
      {children}
      <Field
        name="typed"
        label={`Type “${phrase}” to confirm`}
        error={wrong ? `That is not “${phrase}”.` : undefined}
      />
    </ConfirmDialog>
  );
}

/** Spaces of any kind and number are drawn as one, which is what a person sees and types. */
const folded = (text: FormDataEntryValue | null): string =>
  typeof text === "string" ? text.trim().replaceAll(/\s+/g, " ") : "";
