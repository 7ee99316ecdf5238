import type { Child } from "hono/jsx";
import { againWords, labelOf } from "../format.ts";
import type { Connection, Disconnected } from "../schemas.ts";
import { hrefs } from "../state/route.ts";
import { DisconnectDialog } from "./disconnect-dialog.tsx";
import { PurgeDialog } from "./purge-dialog.tsx";
import { RegenerateDialog } from "./regenerate-dialog.tsx";
import type { OnConnected } from "../state/use-arrivals.ts";
import { useState } from "../state/use-state.ts";

interface Props {
  connection: Connection;
  onDisconnected: (result: Disconnected) => void;
  onPurged: (result: Disconnected) => void;
  onRegenerated: OnConnected;
}

type Doing = "nothing" | "regenerate" | "disconnect" | "purge";

/** Everything that can be done with a connection, each with what it means. */
export function ManagePanel({ connection, onDisconnected, onPurged, onRegenerated }: Props) {
  const [doing, setDoing] = useState<Doing>("nothing");
  const stop = () => setDoing("nothing");
  const gone = connection.status === "disconnected";
  const service = connection.service_name;
  return (
    <section class="panel" aria-labelledby="manage-title">
      <h2 id="manage-title">Manage</h2>
      <ul class="deeds">
        <Deed
          text={
            gone
              ? "Same label and history, and a new credential."
              : connection.kind === "key"
                ? `Give another key of ${service}, or change how it is stored.`
                : `Sign in at ${service} again, or change how the access is stored.`
          }
        >
          <a class="button" href={hrefs.again(connection.id)}>
            {againWords(connection)}
          </a>
        </Deed>
        {gone ? null : (
          <>
            <Deed text="Another secret URL and API key; the present ones stop working at once.">
              <button type="button" class="button" onClick={() => setDoing("regenerate")}>
                New credential
              </button>
            </Deed>
            <Deed text="Ends every use at once. It can be reconnected for 30 days.">
              <button type="button" class="button button-danger" onClick={() => setDoing("disconnect")}>
                Disconnect
              </button>
            </Deed>
          </>
        )}
        <Deed text="Disconnects and deletes all that is stored for it now. Nobody can bring it back.">
          <button type="button" class="button button-danger" onClick={() => setDoing("purge")}>
            Delete for good
          </button>
        </Deed>
      </ul>
      {doing === "regenerate" ? (
        <RegenerateDialog connection={connection} onRegenerated={onRegenerated} onClose={stop} />
      ) : null}
      {doing === "disconnect" ? (
        <DisconnectDialog connection={connection} onDisconnected={onDisconnected} onClose={stop} />
      ) : null}
      {doing === "purge" ? <PurgeDialog connection={connection} onPurged={onPurged} onClose={stop} /> : null}
      <p class="sr-only">{`These act on ${labelOf(connection)}.`}</p>
    </section>
  );
}

function Deed({ text, children }: { text: string; children: Child }) {
  return (
    <li>
      <p>{text}</p>
      {children}
    </li>
  );
}
