import { useId, useRef } from "hono/jsx/dom";
import { api, explain } from "../api.ts";
import { labelOf, labelUnits } from "../format.ts";
import type { Connection } from "../schemas.ts";
import { useAction } from "../state/use-action.ts";
import { useEffect } from "../state/use-effect.ts";
import { DismissButton } from "./dismiss-button.tsx";

interface Props {
  connection: Connection;
  onRenamed: (connection: Connection) => void;
  onClose: () => void;
}

export function RenameForm({ connection, onRenamed, onClose }: Props) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const close = () => {
    onClose();
    // The menu that opened this is in sight again only after the next frame.
    requestAnimationFrame(() =>
      document.querySelector<HTMLElement>(`[data-menu="${connection.id}"]`)?.focus(),
    );
  };
  const rename = (label: string) => api.rename(connection.id, label);
  const { busy, failure, run } = useAction(rename, (renamed) => {
    onRenamed(renamed);
    close();
  });
  const error = failure && ((failure.kind === "problem" && failure.errors.get("label")) || explain(failure));
  useEffect(() => input.current?.select(), []);
  useEffect(() => {
    if (failure) input.current?.focus();
  }, [failure]);
  const submit = (event: Event) => {
    event.preventDefault();
    const label = input.current?.value.trim() ?? "";
    if (label === labelOf(connection)) close();
    else run(label);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape" && !busy) close();
  };
  return (
    <form class="rename" autocomplete="off" onSubmit={submit} onKeyDown={onKeyDown}>
      <label class="sr-only" for={id}>
        {`New label for ${labelOf(connection)}`}
      </label>
      <input
        ref={input}
        id={id}
        class="input"
        value={labelOf(connection)}
        maxLength={labelUnits}
        required
        aria-invalid={error ? "true" : "false"}
        aria-describedby={`${id}error`}
      />
      <button type="submit" class="button" aria-disabled={busy ? "true" : "false"}>
        Save
      </button>
      <DismissButton busy={busy} quiet onDismiss={close}>
        Cancel
      </DismissButton>
      <p class="field-error" id={`${id}error`} role="alert">
        {error ?? ""}
      </p>
    </form>
  );
}
