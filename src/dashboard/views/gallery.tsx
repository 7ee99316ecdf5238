import { Chips } from "../components/chips.tsx";
import { Icon } from "../components/icons.tsx";
import { LoadFailure } from "../components/notice.tsx";
import { ServiceCard } from "../components/service-card.tsx";
import { Skeleton } from "../components/skeleton.tsx";
import { ViewHead } from "../components/view-head.tsx";
import { obstacle } from "../format.ts";
import type { Service } from "../schemas.ts";
import { hrefs } from "../state/route.ts";
import type { Loaded } from "../state/use-load.ts";

export interface GalleryFilter {
  query: string;
  category: string;
}

interface Props {
  services: Loaded<{ services: Service[] }>;
  retry: () => void;
  filter: GalleryFilter;
  onFilter: (filter: GalleryFilter) => void;
}

export function Gallery({ services, retry, filter, onFilter }: Props) {
  const all = services.state === "ready" ? services.value.services : [];
  const custom = all.find((service) => service.url_required && obstacle(service) === undefined);
  const listed = all.filter((service) => !service.url_required);
  const categories = [...new Set(listed.map((service) => service.category))].toSorted();
  return (
    <>
      <ViewHead
        title="Connect a service"
        lead="You get one secret URL and an API key for it, good in every MCP client."
      >
        <a class="button" href={hrefs.connect(custom?.id ?? "custom")}>
          <Icon name="link" />
          Any MCP server by URL
        </a>
      </ViewHead>
      <div class="filters" role="search">
        <label class="search">
          <span class="sr-only">Search services</span>
          <Icon name="search" />
          <input
            type="search"
            class="input"
            placeholder="Search services"
            value={filter.query}
            autocomplete="off"
            onInput={(event: Event) => onFilter({ ...filter, query: inputValue(event) })}
          />
        </label>
        <Chips
          name="Category"
          options={["", ...categories].map((value) => ({ value, words: value || "All" }))}
          selected={filter.category}
          onSelect={(category) => onFilter({ ...filter, category })}
        />
      </div>
      {services.state === "loading" ? (
        <>
          <h2 class="section-title">Ready to connect</h2>
          <Skeleton what="the services" kind="card" count={9} />
        </>
      ) : null}
      {services.state === "failed" ? (
        <LoadFailure what="The services" failure={services.failure} retry={retry} />
      ) : null}
      {services.state === "ready" ? (
        <Found services={listed} filter={filter} onClear={() => onFilter({ query: "", category: "" })} />
      ) : null}
    </>
  );
}

interface FoundProps {
  services: Service[];
  filter: GalleryFilter;
  onClear: () => void;
}

function Found({ services, filter, onClear }: FoundProps) {
  const found = services.filter((service) => matches(service, filter));
  const ready = found.filter((service) => obstacle(service) === undefined);
  const rest = found.filter((service) => obstacle(service) !== undefined);
  return (
    <>
      <p class="sr-only" role="status">{`${found.length} of ${services.length} services shown`}</p>
      {found.length === 0 ? (
        <div class="placeholder placeholder-small">
          <h2>No service matches</h2>
          <p>Any MCP server can still be connected by its URL, with the button above.</p>
          <button type="button" class="button" onClick={onClear}>
            Clear the search
          </button>
        </div>
      ) : (
        <>
          <Group title="Ready to connect" class="cards" services={ready} />
          <Group title="Not available here yet" class="cards cards-off" services={rest} />
        </>
      )}
    </>
  );
}

function Group({ title, class: className, services }: { title: string; class: string; services: Service[] }) {
  if (services.length === 0) return null;
  return (
    <section>
      <h2 class="section-title">{title}</h2>
      <ul class={className}>
        {services.map((service) => (
          <ServiceCard key={service.id} service={service} />
        ))}
      </ul>
    </section>
  );
}

function matches(service: Service, { query, category }: GalleryFilter): boolean {
  if (category !== "" && service.category !== category) return false;
  const text = `${service.name} ${service.id} ${service.category} ${service.description}`.toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

function inputValue(event: Event): string {
  return event.target instanceof HTMLInputElement ? event.target.value : "";
}
