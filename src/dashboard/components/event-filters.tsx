import { useId, useRef } from "hono/jsx/dom";
import type { EventFilter } from "../api.ts";
import { eventTypes } from "../event-words.ts";

interface Props {
  filter: EventFilter;
  connections: ReadonlyMap<string, string>;
  onFilter: (filter: EventFilter) => void;
}

export function EventFilters({ filter, connections, onFilter }: Props) {
  const form = useRef<HTMLFormElement>(null);
  const id = useId();
  const change = () => {
    if (form.current) onFilter(readFilter(new FormData(form.current)));
  };
  const options = new Map(connections);
  // Reached from a connection that is not among those listed, or that is gone.
  if (filter.connection !== undefined && !options.has(filter.connection)) {
    options.set(filter.connection, "This connection");
  }
  const submit = (event: Event) => {
    event.preventDefault();
    change();
  };
  return (
    <form ref={form} class="event-filters" role="search" aria-label="Events" onSubmit={submit}>
      <Select
        id={`${id}type`}
        name="type"
        label="What"
        any="Everything"
        selected={filter.type}
        options={eventTypes.map(({ type, words }) => [type, words])}
        onChange={change}
      />
      <Select
        id={`${id}connection`}
        name="connection"
        label="Connection"
        any="All"
        selected={filter.connection}
        options={[...options]}
        onChange={change}
      />
      <DayField id={`${id}from`} name="from" label="From" iso={filter.from} onChange={change} />
      <DayField id={`${id}to`} name="to" label="To" iso={filter.to} shift={-1} onChange={change} />
    </form>
  );
}

interface SelectProps {
  id: string;
  name: string;
  label: string;
  any: string;
  selected: string | undefined;
  options: ReadonlyArray<readonly [string, string]>;
  onChange: () => void;
}

function Select({ id, name, label, any, selected, options, onChange }: SelectProps) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} name={name} class="input" onChange={onChange}>
        <option value="" selected={selected === undefined}>
          {any}
        </option>
        {options.map(([value, words]) => (
          <option key={value} value={value} selected={value === selected}>
            {words}
          </option>
        ))}
      </select>
    </div>
  );
}

interface DayProps {
  id: string;
  name: string;
  label: string;
  iso: string | undefined;
  /** From what is asked for to a time of the day that is shown, ms: the end of a range is exclusive. */
  shift?: number;
  onChange: () => void;
}

function DayField({ id, name, label, iso, shift = 0, onChange }: DayProps) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        name={name}
        type="date"
        class="input"
        max="9999-12-31"
        value={iso === undefined ? "" : localDay(Date.parse(iso) + shift)}
        onChange={onChange}
      />
    </div>
  );
}

/** The days are the person's own, the times that are asked for UTC. */
function readFilter(data: FormData): EventFilter {
  const text = (name: string) => {
    const value = data.get(name);
    return typeof value === "string" ? value : "";
  };
  const [type, connection] = [text("type"), text("connection")];
  const [from, to] = [startOf(text("from"), 0), startOf(text("to"), 1)];
  return {
    ...(type ? { type } : {}),
    ...(connection ? { connection } : {}),
    ...(from ? { from } : {}),
    ...(to ? { to } : {}),
  };
}

/** Nothing for a day that is none, or whose year has five digits: the API's times have four (RFC 3339). */
function startOf(day: string, later: number): string | undefined {
  const start = new Date(`${day}T00:00`);
  start.setDate(start.getDate() + later);
  return start.getUTCFullYear() <= 9999 ? start.toISOString() : undefined;
}

const pad = (value: number, length = 2): string => String(value).padStart(length, "0");

/** While a year is being typed it has fewer digits than an input takes: 0002, 0020, 0202. */
function localDay(time: number): string {
  const date = new Date(time);
  return `${pad(date.getFullYear(), 4)}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
}
