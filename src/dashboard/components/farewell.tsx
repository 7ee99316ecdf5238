import { labelOf } from "../format.ts";
import type { Disconnected } from "../schemas.ts";
import { ExternalLink } from "./external-link.tsx";
import { Notice } from "./notice.tsx";

/** What became of the access at the service, after a connection ended here. */
export function Farewell({ result }: { result: Disconnected }) {
  const { detail, provider_url: url } = result.revocation;
  const label = labelOf(result.connection);
  return (
    <Notice tone="info" title={result.purged ? `${label} is deleted.` : `${label} is disconnected.`}>
      <p>{detail || "Its secret URL and API key no longer work."}</p>
      <ExternalLink url={url}>
        {result.connection.kind === "key"
          ? "Revoke the key at the service"
          : `See what has access at ${result.connection.service_name}`}
      </ExternalLink>
    </Notice>
  );
}
