import type { Begun } from "../schemas.ts";
import { ConfirmDialog } from "./confirm-dialog.tsx";

interface Props {
  begun: Begun;
  onLeave: () => void;
  onStay: () => void;
}

/** A server may name any authorization server as its own: the person should know whom they are about to log in to. */
export function LeaveDialog({ begun, onLeave, onStay }: Props) {
  const { authorization_server: authorization, resource_server: resource } = begun;
  return (
    <ConfirmDialog
      title={`Sign in at ${authorization}?`}
      action="Go on and sign in"
      dismiss="Stay here"
      tone="primary"
      onConfirm={onLeave}
      onClose={onStay}
    >
      <p>
        <strong>{resource}</strong> sends you to another site, <strong>{authorization}</strong>, to sign in.
        Go on only if you know that it signs people in for {resource}.
      </p>
    </ConfirmDialog>
  );
}
