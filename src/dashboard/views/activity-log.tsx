import { useCallback, useMemo } from "hono/jsx/dom";
import { api, type EventFilter } from "../api.ts";
import { EventFilters } from "../components/event-filters.tsx";
import { EventList, type Names } from "../components/event-list.tsx";
import { ExportButton } from "../components/export-button.tsx";
import { Icon } from "../components/icons.tsx";
import { LoadMore } from "../components/load-more.tsx";
import { LoadFailure } from "../components/notice.tsx";
import { Skeleton } from "../components/skeleton.tsx";
import { VerifyPanel } from "../components/verify-panel.tsx";
import { ViewHead } from "../components/view-head.tsx";
import { labelOf, plural } from "../format.ts";
import { listConnections } from "../state/use-connections.ts";
import { useLoad } from "../state/use-load.ts";
import { usePages } from "../state/use-pages.ts";
import { useState } from "../state/use-state.ts";

interface Props {
  connection: string | undefined;
  /** How long events are kept. */
  days: number | undefined;
}

export function ActivityLog({ connection, days }: Props) {
  const [filter, setFilter] = useState<EventFilter>(connection === undefined ? {} : { connection });
  const first = useCallback(() => listConnections(), []);
  const known = useLoad(first).loaded;
  const tokens = useLoad(api.tokens).loaded;
  const names = useMemo(
    () => ({
      connections: new Map(
        (known.state === "ready" ? known.value.items : []).map((each) => [each.id, labelOf(each)]),
      ),
      tokens: new Map(
        (tokens.state === "ready" ? tokens.value.tokens : []).map((each) => [each.id, each.name]),
      ),
    }),
    [known, tokens],
  );
  return (
    <>
      <ViewHead
        title="Activity log"
        lead="What happened in your account, and who did it. It can be checked, and nobody can edit it unnoticed."
      >
        <ExportButton />
      </ViewHead>
      <VerifyPanel />
      <EventFilters filter={filter} connections={names.connections} onFilter={setFilter} />
      <Events key={JSON.stringify(filter)} filter={filter} names={names} onClear={() => setFilter({})} />
      {days === undefined ? null : (
        <p class="hint log-end">{`Events are kept for ${plural(days, "day")}.`}</p>
      )}
    </>
  );
}

interface EventsProps {
  filter: EventFilter;
  names: Names;
  onClear: () => void;
}

function Events({ filter, names, onClear }: EventsProps) {
  const load = useCallback(async (cursor?: string) => {
    const answer = await api.events(filter, cursor);
    if (!answer.ok) return answer;
    const { events, next_cursor } = answer.value;
    return { ok: true as const, value: { items: events, next_cursor } };
  }, []);
  const { pages, more, moreFailure, reload } = usePages(load);
  if (pages.state === "loading") return <Skeleton what="the log" kind="event" count={6} />;
  if (pages.state === "failed") {
    return <LoadFailure what="The log" failure={pages.failure} retry={reload} />;
  }
  const { items, next_cursor: next } = pages.value;
  if (items.length === 0) return <Nothing filtered={Object.keys(filter).length > 0} onClear={onClear} />;
  return (
    <>
      <p class="sr-only" role="status">{`${plural(items.length, "event")} shown`}</p>
      <EventList events={items} names={names} />
      <LoadMore shown={!!next} failure={moreFailure} onMore={more} />
    </>
  );
}

function Nothing({ filtered, onClear }: { filtered: boolean; onClear: () => void }) {
  return (
    <div class="placeholder placeholder-small">
      <Icon name="clock" />
      <h2>{filtered ? "No event matches" : "Nothing has happened yet"}</h2>
      <p>
        {filtered
          ? "Events past their time are gone from the log, and others may have another type or day."
          : "Signing in, connecting, and each renewal of an access will be listed here."}
      </p>
      {filtered ? (
        <button type="button" class="button" onClick={onClear}>
          Show every event
        </button>
      ) : null}
    </div>
  );
}
