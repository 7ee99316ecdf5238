import { api } from "../api.ts";
import { labelOf } from "../format.ts";
import type { Connected, Connection } from "../schemas.ts";
import { hrefs } from "../state/route.ts";
import { useAction } from "../state/use-action.ts";
import { ConfirmDialog } from "./confirm-dialog.tsx";
import { PresentField, readPresented } from "./present-field.tsx";

interface Props {
  connection: Connection;
  onRegenerated: (connected: Connected) => void;
  onClose: () => void;
}

/** A new credential for the same connection: what the old one opens is sealed anew for it. */
export function RegenerateDialog({ connection, onRegenerated, onClose }: Props) {
  const { busy, failure, run } = useAction(api.regenerate, onRegenerated);
  const needsPresent = connection.storage === "zero_knowledge";
  const confirm = (data: FormData) => {
    const credential = readPresented(data);
    run({ id: connection.id, ...(credential === undefined ? {} : { credential }) });
  };
  return (
    <ConfirmDialog
      title={`New credential for ${labelOf(connection)}?`}
      action={busy ? "Working …" : "Get a new credential"}
      dismiss="Keep the old one"
      tone="danger"
      busy={busy}
      failure={failure}
      onConfirm={confirm}
      onClose={onClose}
    >
      <p>
        You get a new secret URL and API key, and the old ones stop working at once. The access at
        {` ${connection.service_name} `}
        stays as it is.
      </p>
      {needsPresent ? (
        <PresentField
          help="Only it opens what is stored, so that it can be sealed for the new one."
          error={failure?.kind === "problem" ? failure.errors.get("credential") : undefined}
        />
      ) : null}
      {needsPresent && connection.kind === "oauth" ? (
        <p class="hint">
          {"You no longer have it? "}
          <a class="link" href={hrefs.again(connection.id)}>
            Re-authorize instead
          </a>
        </p>
      ) : null}
    </ConfirmDialog>
  );
}
