import { api } from "../api.ts";
import type { Connection } from "../schemas.ts";
import { hrefs } from "../state/route.ts";
import { PresentDialog } from "./present-dialog.tsx";
import type { OnConnected } from "../state/use-arrivals.ts";

interface Props {
  connection: Connection;
  onRegenerated: OnConnected;
  onClose: () => void;
}

/** A new credential for the same connection: what the old one opens is sealed anew for it. */
export function RegenerateDialog({ connection, onRegenerated, onClose }: Props) {
  const needsPresent = connection.storage === "zero_knowledge";
  return (
    <PresentDialog
      connection={connection}
      title="New credential for %?"
      action="Get a new credential"
      dismiss="Keep the old one"
      act={api.regenerate}
      onDone={onRegenerated}
      always
      onClose={onClose}
      present={
        needsPresent
          ? {
              path: "credential",
              optional: false,
              help: "Only it opens what is stored, so that it can be sealed for the new one.",
            }
          : undefined
      }
      below={
        needsPresent ? (
          <p class="hint">
            {"You no longer have it? "}
            <a class="link" href={hrefs.again(connection.id)}>
              {connection.kind === "oauth" ? "Re-authorize instead" : "Give the key again instead"}
            </a>
          </p>
        ) : null
      }
    >
      <p>
        You get a new secret URL and API key, and the old ones stop working at once. The access at
        {` ${connection.service_name} `}
        stays as it is.
      </p>
    </PresentDialog>
  );
}
