import { api } from "../api.ts";
import { labelOf } from "../format.ts";
import type { Connection, Disconnected } from "../schemas.ts";
import { useAction } from "../state/use-action.ts";
import { ConfirmDialog } from "./confirm-dialog.tsx";
import { PresentField, readPresented } from "./present-field.tsx";

interface Props {
  connection: Connection;
  onDisconnected: (result: Disconnected) => void;
  onClose: () => void;
}

export function DisconnectDialog({ connection, onDisconnected, onClose }: Props) {
  const { busy, failure, run } = useAction(api.disconnect, (result) => {
    onClose();
    onDisconnected(result);
  });
  const signedIn = connection.kind === "oauth";
  const confirm = (data: FormData) => {
    const credential = readPresented(data);
    run({ id: connection.id, ...(credential === undefined ? {} : { credential }) });
  };
  return (
    <ConfirmDialog
      title={`Disconnect ${labelOf(connection)}?`}
      action={busy ? "Disconnecting …" : "Disconnect"}
      dismiss="Keep it"
      tone="danger"
      busy={busy}
      failure={failure}
      onConfirm={confirm}
      onClose={onClose}
    >
      <p>
        Its secret URL and API key stop working at once, in every client that uses them.
        {signedIn
          ? " For 30 days you can reconnect it here, with its label and history; the credential is then a new one."
          : ` To use ${connection.service_name} again you connect it anew and get a new credential.`}
      </p>
      {signedIn && connection.storage === "zero_knowledge" ? (
        <PresentField
          label="Secret URL or API key"
          optional
          help={`Only it opens what is stored. With it, ${connection.service_name} is asked now to end the access; without it, when a client next uses the old address.`}
          error={failure?.kind === "problem" ? failure.errors.get("Bindify-Credential") : undefined}
        />
      ) : null}
    </ConfirmDialog>
  );
}
