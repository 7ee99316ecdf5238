import type { KeyMode, Service } from "../schemas.ts";
import { ExternalLink } from "./external-link.tsx";

/** How to get the key: the service's own words, from the catalogue. */
export function KeyGuide({ mode, service }: { mode: KeyMode; service: Service }) {
  const { instructions, create_key_url: url } = mode;
  if (!instructions && !url && service.notes.length === 0) return null;
  return (
    <div class="guide">
      {instructions ? <p>{instructions}</p> : null}
      {service.notes.length > 0 ? (
        <ul>
          {service.notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      ) : null}
      <ExternalLink url={url} class="button">{`Create a key at ${service.name}`}</ExternalLink>
    </div>
  );
}
