import type { AuditEvent } from "../account-schemas.ts";
import { describeActor, describeDetail, describeEvent } from "../event-words.ts";
import { fullTime } from "../format.ts";
import { hrefs } from "../state/route.ts";

export interface Names {
  connections: ReadonlyMap<string, string>;
  tokens: ReadonlyMap<string, string>;
}

export function EventList({ events, names }: { events: readonly AuditEvent[]; names: Names }) {
  return (
    <ol class="events" aria-label="Events, newest first">
      {events.map((event) => (
        <Row key={event.seq} event={event} names={names} />
      ))}
    </ol>
  );
}

function Row({ event, names }: { event: AuditEvent; names: Names }) {
  const { words, tone } = describeEvent(event);
  const detail = describeDetail(event, names.tokens);
  return (
    <li class="event">
      <time class="event-time" dateTime={event.at}>
        {fullTime(event.at)}
      </time>
      <div class="event-what">
        <p class={`state state-${tone}`}>
          <span class="event-words">{words}</span>
        </p>
        <p class="hint">{detail}</p>
      </div>
      <p class="event-where">
        <Subject event={event} names={names} />
        <span class="hint">{describeActor(event.actor, names.tokens)}</span>
      </p>
      <p class="event-seq hint" title={event.hash}>
        <span class="sr-only">Number </span>
        {`#${event.seq}`}
      </p>
    </li>
  );
}

function Subject({ event, names }: { event: AuditEvent; names: Names }) {
  const { connection_id: id, service } = event;
  if (!id) return <span>{service ?? "Account"}</span>;
  const label = names.connections.get(id);
  if (label === undefined) return <span>{service ?? "A connection"}</span>;
  return (
    <a class="link" href={hrefs.detail(id)}>
      {label}
    </a>
  );
}
