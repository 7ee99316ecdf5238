import type { KeyMode, Service } from "../schemas.ts";
import { ExternalLink } from "./external-link.tsx";

/** What comes before connecting: the service's own words, from the catalogue. Without a mode, for signing in. */
export function Guide({ mode, service }: { mode: KeyMode | undefined; service: Service }) {
  const { requirements, notes } = service;
  const instructions = mode?.instructions ?? [];
  const url = mode?.create_key_url;
  if (instructions.length + requirements.length + notes.length === 0 && !url) return null;
  return (
    <div class="guide">
      <Lines of={requirements} as="ul" title="Before you start" />
      <Lines of={instructions} as={instructions.length > 1 ? "ol" : "ul"} title="Get the key" />
      <ExternalLink url={url} class="button">{`Create a key at ${service.name}`}</ExternalLink>
      <Lines of={notes} as="ul" title="Good to know" />
    </div>
  );
}

interface LinesProps {
  of: string[];
  as: "ol" | "ul";
  title?: string;
}

export function Lines({ of: lines, as: List, title }: LinesProps) {
  if (lines.length === 0) return null;
  return (
    <section>
      {title === undefined ? null : <h2>{title}</h2>}
      {lines.length === 1 ? (
        <p>{lines[0]}</p>
      ) : (
        <List>
          {lines.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </List>
      )}
    </section>
  );
}
