import { labelOf } from "../format.ts";
import type { Connection } from "../schemas.ts";
import { useApp } from "../state/app-context.ts";
import { useViewHeading } from "../state/route.ts";

/** Signed in again, and the credential that the person holds goes on working. */
export function Kept({ connection, onDone }: { connection: Connection; onDone: () => void }) {
  const { brand } = useApp();
  const heading = useViewHeading("Signed in again", brand);
  return (
    <div class="narrow">
      <p class="eyebrow">{`Connected: ${labelOf(connection)}`}</p>
      <h1 ref={heading} tabIndex={-1}>
        Your secret URL and API key stay the same
      </h1>
      <p class="lead">
        {`${connection.service_name} has a fresh sign-in. Nothing changes in your clients: they go on where they were.`}
      </p>
      <div class="actions">
        <button type="button" class="button button-primary" onClick={onDone}>
          To your connections
        </button>
      </div>
    </div>
  );
}
