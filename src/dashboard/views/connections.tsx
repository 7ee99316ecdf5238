import { useState } from "hono/jsx/dom";
import { api, explain } from "../api.ts";
import { ConnectionRow, type RowProps } from "../components/connection-row.tsx";
import { ExternalLink } from "../components/external-link.tsx";
import { Icon } from "../components/icons.tsx";
import { LoadFailure, Notice } from "../components/notice.tsx";
import { Skeleton } from "../components/skeleton.tsx";
import { labelOf } from "../format.ts";
import type { Connected, Connection, Disconnected } from "../schemas.ts";
import { useApp } from "../state/app-context.ts";
import { hrefs, useViewHeading } from "../state/route.ts";
import { usePages } from "../state/use-pages.ts";

export function Connections({ onConnected }: { onConnected: (connected: Connected) => void }) {
  const { announce, brand } = useApp();
  const heading = useViewHeading("Connections", brand);
  const { pages, more, moreFailure, reload, replace } = usePages(api.connections);
  const [last, setLast] = useState<Disconnected | undefined>(undefined);
  const disconnected = (result: Disconnected) => {
    replace(result.connection);
    setLast(result);
    announce(`Disconnected ${labelOf(result.connection)}.`);
    heading.current?.focus({ preventScroll: true });
  };
  const renamed = (connection: Connection) => {
    replace(connection);
    announce(`Renamed to ${labelOf(connection)}.`);
  };
  return (
    <>
      <div class="view-head">
        <div>
          <h1 ref={heading} tabIndex={-1}>
            Connections
          </h1>
          <p class="lead">Services that your MCP clients reach through {brand}.</p>
        </div>
        <a class="button button-primary" href={hrefs.gallery}>
          <Icon name="plus" />
          Connect a service
        </a>
      </div>
      {last ? <Farewell result={last} /> : null}
      {pages.state === "loading" ? <Skeleton what="your connections" kind="row" count={3} /> : null}
      {pages.state === "failed" ? (
        <LoadFailure what="Your connections" failure={pages.failure} retry={reload} />
      ) : null}
      {pages.state === "ready" ? (
        <List
          connections={pages.value.connections}
          onRenamed={renamed}
          onDisconnected={disconnected}
          onRegenerated={onConnected}
        />
      ) : null}
      {pages.state === "ready" && pages.value.next_cursor ? (
        <div class="more">
          <p role="alert">{moreFailure ? explain(moreFailure) : ""}</p>
          <button type="button" class="button" onClick={more}>
            Show more
          </button>
        </div>
      ) : null}
    </>
  );
}

interface ListProps extends Omit<RowProps, "connection"> {
  connections: Connection[];
}

function List({ connections, ...on }: ListProps) {
  const kept = connections.filter(({ status }) => status !== "disconnected");
  const gone = connections.filter(({ status }) => status === "disconnected");
  return (
    <>
      {kept.length === 0 ? (
        <Empty title={gone.length === 0 ? "No connections yet" : "No active connection"} />
      ) : null}
      <ul class="rows" aria-label="Connections">
        {kept.map((each) => (
          <ConnectionRow key={each.id} connection={each} {...on} />
        ))}
      </ul>
      {gone.length > 0 ? (
        <details class="gone">
          <summary>{`Disconnected (${gone.length})`}</summary>
          <ul class="rows" aria-label="Disconnected">
            {gone.map((each) => (
              <ConnectionRow key={each.id} connection={each} {...on} />
            ))}
          </ul>
        </details>
      ) : null}
    </>
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

function Farewell({ result }: { result: Disconnected }) {
  const { detail, provider_url: url } = result.revocation;
  return (
    <Notice tone="info" title={`${labelOf(result.connection)} is disconnected.`}>
      <p>{detail || "Its secret URL and API key no longer work."}</p>
      <ExternalLink url={url}>
        {result.connection.kind === "key"
          ? "Revoke the key at the service"
          : `See what has access at ${result.connection.service_name}`}
      </ExternalLink>
    </Notice>
  );
}
