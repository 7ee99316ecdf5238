import {
  againWords,
  daysLeft,
  daysWords,
  describeReminder,
  describeState,
  describeStorage,
  hostOf,
  labelOf,
  needsSignIn,
} from "../format.ts";
import type { Connection, Disconnected } from "../schemas.ts";
import { hrefs } from "../state/route.ts";
import { DisconnectDialog } from "./disconnect-dialog.tsx";
import { Menu, type MenuItem } from "./menu.tsx";
import { RegenerateDialog } from "./regenerate-dialog.tsx";
import { RenameForm } from "./rename-form.tsx";
import { ServiceMark } from "./service-mark.tsx";
import { When } from "./when.tsx";
import type { OnConnected } from "../state/use-arrivals.ts";
import { useState } from "../state/use-state.ts";

export interface RowProps {
  connection: Connection;
  onRenamed: (connection: Connection) => void;
  onDisconnected: (result: Disconnected) => void;
  onRegenerated: OnConnected;
}

type Doing = "nothing" | "rename" | "regenerate" | "disconnect";

export function ConnectionRow({ connection, onRenamed, onDisconnected, onRegenerated }: RowProps) {
  const [doing, setDoing] = useState<Doing>("nothing");
  const stop = () => setDoing("nothing");
  const host = hostOf(connection.upstream_url);
  const gone = connection.status === "disconnected";
  const reminder = describeReminder(connection);
  return (
    <li class={gone ? "row row-gone" : "row"}>
      <ServiceMark id={connection.service} name={connection.service_name} />
      <div class="row-name">
        {doing === "rename" ? (
          <RenameForm connection={connection} onRenamed={onRenamed} onClose={stop} />
        ) : (
          <h3>
            <a class="row-link" href={hrefs.detail(connection.id)}>
              {labelOf(connection)}
            </a>
          </h3>
        )}
        <p class="row-service">
          {connection.service_name}
          {host ? <span class="row-host">{` · ${host}`}</span> : null}
        </p>
        {reminder ? <p class="row-note">{reminder}</p> : null}
      </div>
      <Facts connection={connection} gone={gone} />
      <Actions connection={connection} gone={gone} onChoose={setDoing} />
      {doing === "regenerate" ? (
        <RegenerateDialog connection={connection} onRegenerated={onRegenerated} onClose={stop} />
      ) : null}
      {doing === "disconnect" ? (
        <DisconnectDialog connection={connection} onDisconnected={onDisconnected} onClose={stop} />
      ) : null}
    </li>
  );
}

function Facts({ connection, gone }: { connection: Connection; gone: boolean }) {
  const { words, tone } = describeState(connection);
  return (
    <dl class="row-facts">
      <div>
        <dt>State</dt>
        <dd class={`state state-${tone}`}>{words}</dd>
      </div>
      <div>
        <dt>{gone ? "To reconnect" : "Storage"}</dt>
        <dd>{gone ? daysWords(daysLeft(connection)) : describeStorage(connection.storage)}</dd>
      </div>
      <div>
        <dt>{gone ? "Disconnected" : "Last used"}</dt>
        <dd>
          <When iso={gone ? connection.disconnected_at : connection.last_used_at} />
        </dd>
      </div>
    </dl>
  );
}

interface ActionsProps {
  connection: Connection;
  gone: boolean;
  onChoose: (doing: Doing) => void;
}

function Actions({ connection, gone, onChoose }: ActionsProps) {
  const label = labelOf(connection);
  const again = hrefs.again(connection.id);
  const words = againWords(connection);
  if (gone) {
    return (
      <div class="row-actions">
        <a class="button button-quiet" href={again} aria-label={`Reconnect ${label}`}>
          Reconnect
        </a>
      </div>
    );
  }
  const items: MenuItem[] = [
    { words: "Details", name: `Details of ${label}`, act: hrefs.detail(connection.id) },
    { words: "Rename", name: `Rename ${label}`, act: () => onChoose("rename") },
    { words, name: `${words}: ${label}`, act: again },
    { words: "New credential", name: `New credential for ${label}`, act: () => onChoose("regenerate") },
    { words: "Disconnect", name: `Disconnect ${label}`, danger: true, act: () => onChoose("disconnect") },
  ];
  return (
    <div class="row-actions">
      {connection.status === "suspended" ? (
        <a class="button" href={hrefs.billing} aria-label={`Restore ${label}: plan and billing`}>
          Restore
        </a>
      ) : null}
      {needsSignIn(connection) ? (
        <a class="button" href={again} aria-label={`${words}: ${label}`}>
          {connection.kind === "key" ? words : "Re-authorize"}
        </a>
      ) : null}
      <Menu words="Manage" name={`Manage ${label}`} id={connection.id} items={items} />
    </div>
  );
}
