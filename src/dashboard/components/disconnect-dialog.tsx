import { api } from "../api.ts";
import type { Connection, Disconnected } from "../schemas.ts";
import { PresentDialog } from "./present-dialog.tsx";

interface Props {
  connection: Connection;
  onDisconnected: (result: Disconnected) => void;
  onClose: () => void;
}

export function DisconnectDialog({ connection, onDisconnected, onClose }: Props) {
  const done = (result: Disconnected) => {
    onClose();
    onDisconnected(result);
  };
  return (
    <PresentDialog
      connection={connection}
      title="Disconnect %?"
      action="Disconnect"
      dismiss="Keep it"
      act={api.disconnect}
      onDone={done}
      onClose={onClose}
      present={presentToEnd(connection)}
    >
      <p>
        Its secret URL and API key stop working at once, in every client that uses them. For 30 days you can
        reconnect it here, with its label and history; the credential is then a new one.
      </p>
    </PresentDialog>
  );
}

/** Where only the holder opens the grant, only they can have it ended at the service now. */
export const presentToEnd = (connection: Connection) =>
  connection.kind === "oauth" && connection.storage === "zero_knowledge"
    ? {
        path: "Bindify-Credential",
        label: "Secret URL or API key",
        optional: true,
        help: `Only it opens what is stored. With it, ${connection.service_name} is asked now to end the access; without it, when a client next uses the old address.`,
      }
    : undefined;
