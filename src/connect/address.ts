import { checkDestination, type DestinationPolicy } from "../lib/destination.ts";
import { Fault } from "../lib/fault.ts";
import { chooseEndpoint } from "../services/endpoint.ts";
import type { Service } from "../services/service.ts";

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

/** How the connected thing is called: the service's name, or the host of an address that the person gave. */
export function nameOf(service: Service, url: string): string {
  return service.endpoint.url === null ? new URL(url).host : service.name;
}
