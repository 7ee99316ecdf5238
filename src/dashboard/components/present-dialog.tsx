import type { Child } from "hono/jsx";
import { errorAt, type Answer, type Presented } from "../api.ts";
import { labelOf } from "../format.ts";
import type { Connection } from "../schemas.ts";
import { useAction } from "../state/use-action.ts";
import { ConfirmDialog } from "./confirm-dialog.tsx";
import { PresentField, readPresented } from "./present-field.tsx";

interface Props<T> {
  connection: Connection;
  title: string;
  action: string;
  dismiss: string;
  act: (presented: Presented) => Promise<Answer<T>>;
  onDone: (value: T, asked: number) => void;
  /** What it brings comes once: it is wanted even where the dialog is gone. */
  always?: boolean;
  onClose: () => void;
  /** The present credential is asked for where only it opens what is stored; `path` is what the API calls it. */
  present: { path: string; help: string; optional: boolean; label?: string } | undefined;
  children: Child;
  /** What is said after the field. */
  below?: Child;
}

/** A step that cannot be taken back: asked once, with the connection's credential where it takes part. */
export function PresentDialog<T>(props: Props<T>) {
  const {
    connection,
    title,
    action,
    dismiss,
    act,
    onDone,
    onClose,
    present,
    always = false,
    children,
    below,
  } = props;
  const { busy, failure, run } = useAction(act, onDone, { always });
  const confirm = (data: FormData) => {
    const credential = readPresented(data);
    run({ id: connection.id, ...(credential === undefined ? {} : { credential }) });
  };
  return (
    <ConfirmDialog
      title={title.replace("%", () => labelOf(connection))}
      action={busy ? "Working …" : action}
      dismiss={dismiss}
      tone="danger"
      busy={busy}
      failure={failure}
      onConfirm={confirm}
      onClose={onClose}
    >
      {children}
      {present === undefined ? null : (
        <PresentField
          label={present.label ?? "Present secret URL or API key"}
          help={present.help}
          optional={present.optional}
          error={errorAt(failure, present.path)}
        />
      )}
      {below}
    </ConfirmDialog>
  );
}
