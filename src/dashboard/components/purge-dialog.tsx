import { api, errorAt } from "../api.ts";
import { labelOf } from "../format.ts";
import type { Connection, Disconnected } from "../schemas.ts";
import { useAction } from "../state/use-action.ts";
import { presentToEnd } from "./disconnect-dialog.tsx";
import { PresentField, readPresented } from "./present-field.tsx";
import { TypedDialog } from "./typed-dialog.tsx";

interface Props {
  connection: Connection;
  onPurged: (result: Disconnected) => void;
  onClose: () => void;
}

export function PurgeDialog({ connection, onPurged, onClose }: Props) {
  const { busy, failure, run } = useAction(api.purge, onPurged);
  const present = presentToEnd(connection);
  const confirm = (data: FormData) => {
    const credential = readPresented(data);
    run({ id: connection.id, ...(credential === undefined ? {} : { credential }) });
  };
  return (
    <TypedDialog
      title={`Delete ${labelOf(connection)} for good?`}
      action="Delete for good"
      phrase={labelOf(connection)}
      busy={busy}
      failure={failure}
      onConfirm={confirm}
      onClose={onClose}
    >
      <p>
        What is stored for it goes at once: the sealed access, its label and its counts. It cannot be
        reconnected. The activity log keeps the bare fact.
      </p>
      {present === undefined ? null : (
        <PresentField
          label={present.label}
          optional
          help={`With it, ${connection.service_name} is asked to end the access. Without it nobody can: end it there yourself.`}
          error={errorAt(failure, present.path)}
        />
      )}
    </TypedDialog>
  );
}
