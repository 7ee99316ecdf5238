import { useCallback } from "hono/jsx/dom";
import { api, type Answer } from "../api.ts";
import { ActivityPanel } from "../components/activity-panel.tsx";
import { ConnectionFacts } from "../components/connection-facts.tsx";
import { Farewell } from "../components/farewell.tsx";
import { ManagePanel } from "../components/manage-panel.tsx";
import { LoadFailure } from "../components/notice.tsx";
import { RenameForm } from "../components/rename-form.tsx";
import { ServiceMark } from "../components/service-mark.tsx";
import { Skeleton } from "../components/skeleton.tsx";
import { againWords, daysLeft, daysWords, describeState, hostOf, labelOf, needsSignIn } from "../format.ts";
import type { Connection, Disconnected, Health } from "../schemas.ts";
import { useApp } from "../state/app-context.ts";
import { hrefs, useViewHeading } from "../state/route.ts";
import { useLoad } from "../state/use-load.ts";
import { Missing } from "./missing.tsx";
import type { OnConnected } from "../state/use-arrivals.ts";
import { useState } from "../state/use-state.ts";

interface Props {
  id: string;
  onConnected: OnConnected;
}

interface Known {
  connection: Connection;
  health: Health;
}

async function loadKnown(id: string): Promise<Answer<Known>> {
  const [connection, health] = await Promise.all([api.connection(id), api.health(id)]);
  if (!connection.ok) return connection;
  if (!health.ok) return health;
  return { ok: true, value: { connection: connection.value, health: health.value } };
}

export function Detail({ id, onConnected }: Props) {
  const { announce } = useApp();
  const load = useCallback(() => loadKnown(id), [id]);
  const { loaded, reload } = useLoad(load);
  const [ended, setEnded] = useState<Disconnected | undefined>(undefined);
  const [renamed, setRenamed] = useState<string | undefined>(undefined);
  if (ended?.purged) return <Purged result={ended} />;
  if (loaded.state === "loading") return <Skeleton what="the connection" kind="detail" count={1} whole />;
  if (loaded.state === "failed") {
    const { failure } = loaded;
    if (failure.kind === "problem" && failure.status === 404) return <Missing />;
    return <LoadFailure what="The connection" failure={failure} retry={reload} whole />;
  }
  const { health } = loaded.value;
  const connection =
    renamed === undefined ? loaded.value.connection : { ...loaded.value.connection, label: renamed };
  const end = (result: Disconnected) => {
    setEnded(result);
    announce(`${result.purged ? "Deleted" : "Disconnected"} ${labelOf(result.connection)}.`);
    if (!result.purged) reload();
    document.querySelector("h1")?.focus();
  };
  const rename = ({ label }: Connection) => {
    setRenamed(label ?? "");
    announce(`Renamed to ${label ?? connection.service_name}.`);
  };
  return (
    <div class="detail">
      <a class="back" href={hrefs.connections}>
        Connections
      </a>
      <Head connection={connection} onRenamed={rename} />
      {ended ? <Farewell result={ended} /> : null}
      <section class="panel" aria-labelledby="health-title">
        <div class="panel-head">
          <div>
            <h2 id="health-title">Health</h2>
            <p class="health">{health.sentence}</p>
            {connection.status === "disconnected" ? (
              <p class="hint">{`${daysWords(daysLeft(connection))} to reconnect it.`}</p>
            ) : null}
          </div>
          {connection.status === "suspended" ? (
            <a class="button button-primary" href={hrefs.billing}>
              Plan and billing
            </a>
          ) : null}
          {needsSignIn(connection) ? (
            <a class="button button-primary" href={hrefs.again(connection.id)}>
              {againWords(connection)}
            </a>
          ) : null}
        </div>
        <ConnectionFacts connection={connection} health={health} />
      </section>
      <ActivityPanel id={id} />
      <ManagePanel connection={connection} onDisconnected={end} onPurged={end} onRegenerated={onConnected} />
      <p>
        <a class="link" href={hrefs.activityOf(id)}>
          Everything in the activity log about this connection
        </a>
      </p>
    </div>
  );
}

function Head({ connection, onRenamed }: { connection: Connection; onRenamed: (to: Connection) => void }) {
  const { brand } = useApp();
  const heading = useViewHeading(labelOf(connection), brand);
  const [renaming, setRenaming] = useState(false);
  const { words, tone } = describeState(connection);
  const host = hostOf(connection.upstream_url);
  return (
    <div class="detail-head">
      <ServiceMark id={connection.service} name={connection.service_name} />
      <div class="detail-name">
        <h1 ref={heading} tabIndex={-1} class={renaming ? "sr-only" : undefined}>
          {labelOf(connection)}
        </h1>
        {renaming ? (
          <RenameForm connection={connection} onRenamed={onRenamed} onClose={() => setRenaming(false)} />
        ) : null}
        <p class="row-service">
          {connection.service_name}
          {host ? <span class="row-host">{` · ${host}`}</span> : null}
        </p>
      </div>
      <p class={`state state-${tone}`}>
        <span class="sr-only">State: </span>
        {words}
      </p>
      {renaming || connection.status === "disconnected" ? null : (
        <button
          type="button"
          class="button button-quiet"
          data-menu={connection.id}
          onClick={() => setRenaming(true)}
        >
          Rename
        </button>
      )}
    </div>
  );
}

function Purged({ result }: { result: Disconnected }) {
  const { brand } = useApp();
  const heading = useViewHeading("Deleted", brand);
  return (
    <div class="narrow">
      <h1 ref={heading} tabIndex={-1}>
        Deleted for good
      </h1>
      <Farewell result={result} />
      <div class="actions">
        <a class="button button-primary" href={hrefs.connections}>
          To your connections
        </a>
      </div>
    </div>
  );
}
