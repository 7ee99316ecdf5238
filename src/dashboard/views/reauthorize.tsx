import { useCallback } from "hono/jsx/dom";
import { api } from "../api.ts";
import { AgainKeyForm } from "../components/again-key-form.tsx";
import { AgainForm } from "../components/again-form.tsx";
import { ConnectHead } from "../components/connect-head.tsx";
import { LoadFailure, Notice } from "../components/notice.tsx";
import { Skeleton } from "../components/skeleton.tsx";
import { againWords, hostOf, labelOf, obstacle } from "../format.ts";
import type { Connection, Service, StorageMode } from "../schemas.ts";
import { hrefs } from "../state/route.ts";
import { useLoad } from "../state/use-load.ts";
import { Missing } from "./missing.tsx";
import type { OnConnected } from "../state/use-arrivals.ts";

interface Props {
  id: string;
  services: Service[];
  modes: StorageMode[];
  onConnected: OnConnected;
}

export function Reauthorize({ id, services, ...rest }: Props) {
  const load = useCallback(() => api.connection(id), [id]);
  const { loaded, reload } = useLoad(load);
  if (loaded.state === "loading") return <Skeleton what="the connection" kind="form" count={1} whole />;
  if (loaded.state === "failed") {
    return <LoadFailure what="The connection" failure={loaded.failure} retry={reload} whole />;
  }
  const connection = loaded.value;
  const service = services.find((each) => each.id === connection.service);
  if (service === undefined) return <Missing />;
  return <Again connection={connection} service={service} {...rest} />;
}

interface AgainProps {
  connection: Connection;
  service: Service;
  modes: StorageMode[];
  onConnected: OnConnected;
}

function Again({ connection, service, modes, onConnected }: AgainProps) {
  const byKey = connection.kind === "key";
  const label = labelOf(connection);
  const words =
    connection.status === "disconnected" ? "Reconnect" : byKey ? againWords(connection) : "Re-authorize";
  const title = words.includes("key") ? `${words} of ${label}` : `${words} ${label}`;
  const where = service.url_required ? hostOf(connection.upstream_url) : connection.service_name;
  const closed = closedBecause(service, byKey);
  return (
    <div class="narrow">
      <ConnectHead
        service={{ id: connection.service, name: connection.service_name }}
        title={title}
        back={{ href: hrefs.detail(connection.id), words: label }}
      >
        {byKey
          ? `You give a key of ${where}. The connection keeps its label and history.`
          : `You sign in at ${where} again. The connection keeps its label and history.`}
      </ConnectHead>
      {connection.wanted_scope ? (
        <Notice tone="warn" title="Re-authorize with more access">
          <p>
            {`A call needed more than you granted. This sign-in asks for it too: `}
            <code>{connection.wanted_scope}</code>
          </p>
        </Notice>
      ) : null}
      {closed !== undefined ? (
        <Notice tone="warn">
          <p>{closed}</p>
        </Notice>
      ) : byKey ? (
        <AgainKeyForm connection={connection} service={service} modes={modes} onConnected={onConnected} />
      ) : (
        <AgainForm connection={connection} service={service} modes={modes} />
      )}
    </div>
  );
}

function closedBecause(service: Service, byKey: boolean): string | undefined {
  if (byKey) return service.key_available ? undefined : (obstacle(service) ?? "Keys are not taken here now.");
  if (service.oauth_available) return undefined;
  return service.oauth_unavailable_reason ?? "Signing in is not possible here now.";
}
