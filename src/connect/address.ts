import { checkDestination, type DestinationPolicy } from "../lib/destination.ts";
import { Fault } from "../lib/fault.ts";
import { hasSealedQuery } from "../grants/grant.ts";
import { chooseEndpoint } from "../services/endpoint.ts";
import type { Service } from "../services/service.ts";
import type { Connection } from "../store/connection.ts";

type ChosenUrl = ReturnType<typeof chooseEndpoint>;

/** The service's own address, one of its variants, or an address of the person's that may be requested. */
export function chooseUrl(
  service: Service,
  wanted: string | undefined,
  destinations: DestinationPolicy,
): ChosenUrl {
  const chosen = chooseEndpoint(service, wanted);
  if (chosen.kind === "errors") return chosen;
  const verdict = checkDestination(chosen.url, destinations);
  if (verdict.ok) return service.endpoint.url === null ? { kind: "url", url: verdict.url.href } : chosen;
  if (verdict.reason === "shape")
    return { kind: "errors", errors: [{ path: "url", message: verdict.message }] };
  // Told exactly like a server that does not answer.
  throw new Fault("target_unreachable", { params: { service: new URL(chosen.url).host } });
}

/**
 * The address that a connection had, for a person who gives it a new key or sign-in and names none: a choice such as
 * "read only" stays. Undefined where the row does not hold all of it, or the service has moved away from it.
 */
export function formerUrl(service: Service, { upstream_url: url }: Connection): string | undefined {
  if (hasSealedQuery(url)) return undefined;
  return chooseEndpoint(service, url).kind === "url" ? url : undefined;
}

/** How the connected thing is called: the service's name, or the host of an address that the person gave. */
export function nameOf(service: Service, url: string): string {
  return service.endpoint.url === null ? new URL(url).host : service.name;
}
