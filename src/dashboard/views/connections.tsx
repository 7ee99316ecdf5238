import { ConnectionRow, type RowProps } from "../components/connection-row.tsx";
import { Farewell } from "../components/farewell.tsx";
import { Icon } from "../components/icons.tsx";
import { LoadMore } from "../components/load-more.tsx";
import { LoadFailure, Notice } from "../components/notice.tsx";
import { Skeleton } from "../components/skeleton.tsx";
import { ViewHead } from "../components/view-head.tsx";
import { labelOf } from "../format.ts";
import type { Connection, Disconnected } from "../schemas.ts";
import { useApp } from "../state/app-context.ts";
import { hrefs } from "../state/route.ts";
import { useConnections } from "../state/use-connections.ts";
import type { OnConnected } from "../state/use-arrivals.ts";
import { useState } from "../state/use-state.ts";

export function Connections({ onConnected }: { onConnected: OnConnected }) {
  const { announce, brand } = useApp();
  const { pages, more, moreFailure, reload, replace } = useConnections();
  const [last, setLast] = useState<Disconnected | undefined>(undefined);
  const disconnected = (result: Disconnected) => {
    replace(result.connection);
    setLast(result);
    announce(`Disconnected ${labelOf(result.connection)}.`);
    document.querySelector("h1")?.focus({ preventScroll: true });
  };
  const renamed = (connection: Connection) => {
    replace(connection);
    announce(`Renamed to ${labelOf(connection)}.`);
  };
  return (
    <>
      <ViewHead title="Connections" lead={`Services that your MCP clients reach through ${brand}.`}>
        <a class="button button-primary" href={hrefs.gallery}>
          <Icon name="plus" />
          Connect a service
        </a>
      </ViewHead>
      {last ? <Farewell result={last} /> : null}
      {pages.state === "loading" ? <Skeleton what="your connections" kind="row" count={3} /> : null}
      {pages.state === "failed" ? (
        <LoadFailure what="Your connections" failure={pages.failure} retry={reload} />
      ) : null}
      {pages.state === "ready" ? (
        <>
          <List
            connections={pages.value.items}
            onRenamed={renamed}
            onDisconnected={disconnected}
            onRegenerated={onConnected}
          />
          <LoadMore shown={!!pages.value.next_cursor} failure={moreFailure} onMore={more} />
        </>
      ) : null}
    </>
  );
}

interface ListProps extends Omit<RowProps, "connection"> {
  connections: readonly Connection[];
}

function List({ connections, ...on }: ListProps) {
  const kept = connections.filter(({ status }) => status !== "disconnected");
  const gone = connections.filter(({ status }) => status === "disconnected");
  return (
    <>
      {kept.length === 0 ? (
        <Empty title={gone.length === 0 ? "No connections yet" : "No active connection"} />
      ) : (
        <section aria-labelledby="active-title">
          <h2 id="active-title" class="sr-only">
            Active
          </h2>
          <Suspended count={kept.filter(({ status }) => status === "suspended").length} />
          <ul class="rows" aria-label="Connections">
            {kept.map((each) => (
              <ConnectionRow key={each.id} connection={each} {...on} />
            ))}
          </ul>
        </section>
      )}
      {gone.length > 0 ? (
        <section class="gone" aria-labelledby="gone-title">
          <h2 id="gone-title" class="section-title">
            Disconnected
          </h2>
          <p class="hint">
            For 30 days a disconnected service can be reconnected with its label and history, and a new
            credential. After that it is deleted.
          </p>
          <ul class="rows" aria-label="Disconnected">
            {gone.map((each) => (
              <ConnectionRow key={each.id} connection={each} {...on} />
            ))}
          </ul>
        </section>
      ) : null}
    </>
  );
}

function Suspended({ count }: { count: number }) {
  if (count === 0) return null;
  const title = count === 1 ? "1 connection is suspended" : `${count} connections are suspended`;
  return (
    <div class="list-notice">
      <Notice tone="warn" title={title}>
        <p>
          {"Your plan does not pay for all of them. Nothing is lost: paid for again, they go on as before. "}
          <a class="link" href={hrefs.billing}>
            Plan and billing
          </a>
        </p>
      </Notice>
    </div>
  );
}

function Empty({ title }: { title: string }) {
  return (
    <div class="placeholder">
      <Icon name="link" />
      <h2>{title}</h2>
      <p>
        Connect a service, and you get a secret URL that works in Claude, ChatGPT, Cursor and every other MCP
        client.
      </p>
      <a class="button button-primary" href={hrefs.gallery}>
        Choose a service
      </a>
    </div>
  );
}
