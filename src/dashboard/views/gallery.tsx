import { obstacle, sentenceCase } from "../format.ts";
import { Icon } from "../components/icons.tsx";
import { ServiceCard } from "../components/service-card.tsx";
import type { Service } from "../schemas.ts";
import { useApp } from "../state/app-context.ts";
import { hrefs, useViewHeading } from "../state/route.ts";

export interface GalleryFilter {
  query: string;
  category: string;
}

interface Props {
  services: Service[];
  filter: GalleryFilter;
  onFilter: (filter: GalleryFilter) => void;
}

export function Gallery({ services, filter, onFilter }: Props) {
  const { config } = useApp();
  const heading = useViewHeading("Services", config.brand_name);
  const custom = services.find((service) => service.url_required && obstacle(service) === undefined);
  const listed = services.filter((service) => !service.url_required);
  const categories = [...new Set(listed.map((service) => service.category))].toSorted();
  const found = listed.filter((service) => matches(service, filter)).toSorted(byUse);
  return (
    <>
      <div class="view-head">
        <div>
          <h1 ref={heading} tabIndex={-1}>
            Connect a service
          </h1>
          <p class="lead">You get one secret URL and an API key for it, good in every MCP client.</p>
        </div>
        {custom ? (
          <a class="button" href={hrefs.connect(custom.id)}>
            <Icon name="link" />
            Any MCP server by URL
          </a>
        ) : null}
      </div>
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
        <div class="chips" role="group" aria-label="Category">
          {["", ...categories].map((category) => (
            <button
              key={category}
              type="button"
              class="chip"
              aria-pressed={category === filter.category ? "true" : "false"}
              onClick={() => onFilter({ ...filter, category })}
            >
              {category === "" ? "All" : sentenceCase(category)}
            </button>
          ))}
        </div>
      </div>
      <p class="sr-only" role="status">{`${found.length} of ${listed.length} services shown`}</p>
      {found.length === 0 ? (
        <div class="placeholder placeholder-small">
          <h2>No service matches</h2>
          <p>Any MCP server can still be connected by its URL.</p>
          <button type="button" class="button" onClick={() => onFilter({ query: "", category: "" })}>
            Clear the search
          </button>
        </div>
      ) : (
        <ul class="cards">
          {found.map((service) => (
            <ServiceCard key={service.id} service={service} />
          ))}
        </ul>
      )}
    </>
  );
}

function matches(service: Service, { query, category }: GalleryFilter): boolean {
  if (category !== "" && service.category !== category) return false;
  const text = `${service.name} ${service.category} ${service.description}`.toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** What can be connected now, then what waits for something, then what is not available at all. */
function byUse(a: Service, b: Service): number {
  return rank(a) - rank(b) || a.name.localeCompare(b.name, "en");
}

function rank(service: Service): number {
  if (!service.available) return 2;
  return obstacle(service) === undefined ? 0 : 1;
}

function inputValue(event: Event): string {
  return event.target instanceof HTMLInputElement ? event.target.value : "";
}
