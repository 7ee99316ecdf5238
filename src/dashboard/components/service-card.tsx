import { obstacle, waysIn } from "../format.ts";
import type { Service } from "../schemas.ts";
import { hrefs } from "../state/route.ts";
import { ExternalLink } from "./external-link.tsx";
import { ServiceMark } from "./service-mark.tsx";

export function ServiceCard({ service }: { service: Service }) {
  const reason = obstacle(service);
  return (
    <li class={reason === undefined ? "card" : "card card-off"}>
      <div class="card-head">
        <ServiceMark id={service.id} name={service.name} />
        <div>
          <h3>
            {reason === undefined ? (
              <a class="card-link" href={hrefs.connect(service.id)}>
                {service.name}
              </a>
            ) : (
              service.name
            )}
          </h3>
          <p class="card-category">{service.category}</p>
        </div>
      </div>
      {reason === undefined ? (
        <>
          <p class="card-text">{service.description}</p>
          <p class="card-foot card-ready">{waysIn(service)}</p>
        </>
      ) : (
        <p class="card-foot">
          {`${reason} `}
          <ExternalLink url={service.docs_url}>Documentation</ExternalLink>
        </p>
      )}
    </li>
  );
}
