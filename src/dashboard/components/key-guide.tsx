import type { KeyMode, Service } from "../schemas.ts";
import { ExternalLink } from "./external-link.tsx";

/** How to get the key: the service's own words, from the catalogue. */
export function KeyGuide({ mode, service }: { mode: KeyMode; service: Service }) {
  const { instructions, create_key_url: url } = mode;
  const { requirements, notes } = service;
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

function Lines({ of: lines, as: List, title }: { of: string[]; as: "ol" | "ul"; title: string }) {
  if (lines.length === 0) return null;
  return (
    <section>
      <h2>{title}</h2>
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
