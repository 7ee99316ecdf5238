import { ConnectForm } from "../components/connect-form.tsx";
import { ConnectHead } from "../components/connect-head.tsx";
import { ExternalLink } from "../components/external-link.tsx";
import { Notice } from "../components/notice.tsx";
import { obstacle } from "../format.ts";
import type { Service, StorageMode } from "../schemas.ts";
import { hrefs } from "../state/route.ts";
import type { OnConnected } from "../state/use-arrivals.ts";

interface Props {
  service: Service;
  modes: StorageMode[];
  onConnected: OnConnected;
}

export function Connect({ service, modes, onConnected }: Props) {
  const title = service.url_required ? "Connect any MCP server" : `Connect ${service.name}`;
  const reason = obstacle(service);
  return (
    <div class="narrow">
      <ConnectHead service={service} title={title} back={{ href: hrefs.gallery, words: "All services" }}>
        {service.description} <ExternalLink url={service.docs_url}>Documentation</ExternalLink>
      </ConnectHead>
      {service.warnings.map((warning) => (
        <Notice key={warning} tone="warn">
          <p>{warning}</p>
        </Notice>
      ))}
      {reason === undefined ? (
        <ConnectForm service={service} modes={modes} onConnected={onConnected} />
      ) : (
        <Notice tone="warn">
          <p>{reason}</p>
        </Notice>
      )}
    </div>
  );
}
