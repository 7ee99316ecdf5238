import { useState } from "hono/jsx/dom";
import { api } from "../api.ts";
import { describeState, describeStorage, fullTime, hostOf, labelOf, timeAgo } from "../format.ts";
import type { Connection, Disconnected } from "../schemas.ts";
import { useAction } from "../state/use-action.ts";
import { ConfirmDialog } from "./confirm-dialog.tsx";
import { RenameForm } from "./rename-form.tsx";
import { ServiceMark } from "./service-mark.tsx";

interface Props {
  connection: Connection;
  onRenamed: (connection: Connection) => void;
  onDisconnected: (result: Disconnected) => void;
}

export function ConnectionRow({ connection, onRenamed, onDisconnected }: Props) {
  const [doing, setDoing] = useState<"nothing" | "rename" | "disconnect">("nothing");
  const label = labelOf(connection);
  const { words, tone } = describeState(connection);
  const host = hostOf(connection.upstream_url);
  const gone = connection.status === "disconnected";
  return (
    <li class={gone ? "row row-gone" : "row"}>
      <ServiceMark id={connection.service} name={connection.service_name} />
      <div class="row-name">
        {doing === "rename" ? (
          <RenameForm connection={connection} onRenamed={onRenamed} onClose={() => setDoing("nothing")} />
        ) : (
          <h2>{label}</h2>
        )}
        <p class="row-service">
          {connection.service_name}
          {host ? <span class="row-host">{` · ${host}`}</span> : null}
        </p>
      </div>
      <dl class="row-facts">
        <div>
          <dt>State</dt>
          <dd class={`state state-${tone}`}>{words}</dd>
        </div>
        <div>
          <dt>Storage</dt>
          <dd>{describeStorage(connection.storage)}</dd>
        </div>
        <div>
          <dt>{gone ? "Disconnected" : "Last used"}</dt>
          <dd>
            <When iso={gone ? connection.disconnected_at : connection.last_used_at} />
          </dd>
        </div>
      </dl>
      {gone ? null : (
        <div class="row-actions">
          <button
            type="button"
            class="button button-quiet"
            data-rename={connection.id}
            aria-label={`Rename ${label}`}
            onClick={() => setDoing("rename")}
          >
            Rename
          </button>
          <button
            type="button"
            class="button button-quiet button-quiet-danger"
            aria-label={`Disconnect ${label}`}
            onClick={() => setDoing("disconnect")}
          >
            Disconnect
          </button>
        </div>
      )}
      {doing === "disconnect" ? (
        <Disconnect
          connection={connection}
          onDisconnected={onDisconnected}
          onClose={() => setDoing("nothing")}
        />
      ) : null}
    </li>
  );
}

function When({ iso }: { iso: string | null | undefined }) {
  if (!iso || Number.isNaN(Date.parse(iso))) return <>Never</>;
  return (
    <time dateTime={iso} title={fullTime(iso)}>
      {timeAgo(iso)}
    </time>
  );
}

interface DisconnectProps {
  connection: Connection;
  onDisconnected: (result: Disconnected) => void;
  onClose: () => void;
}

function Disconnect({ connection, onDisconnected, onClose }: DisconnectProps) {
  const { busy, failure, run } = useAction(api.disconnect, (result) => {
    onClose();
    onDisconnected(result);
  });
  return (
    <ConfirmDialog
      title={`Disconnect ${labelOf(connection)}?`}
      action={busy ? "Disconnecting …" : "Disconnect"}
      busy={busy}
      failure={failure}
      onConfirm={() => run(connection.id)}
      onClose={onClose}
    >
      <p>
        Its secret URL and API key stop working at once, in every client that uses them. To use
        {` ${connection.service_name} `}
        again you connect it anew and get a new credential.
      </p>
    </ConfirmDialog>
  );
}
