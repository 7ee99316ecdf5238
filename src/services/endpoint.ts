import type { FieldError } from "../lib/fault.ts";
import { matchesWhole } from "./key-mode.ts";
import type { Service } from "./service.ts";

type ChosenEndpoint =
  | { readonly kind: "url"; readonly url: string }
  | { readonly kind: "errors"; readonly errors: readonly FieldError[] };

/**
 * The MCP address for a connection. For a service of the catalogue it is the definition's own text, or its read-only
 * one, with at most the query parameters that the definition lists: nobody steers a known service's key elsewhere.
 * For a service without an address it is the person's, which the caller still has to check as a destination.
 */
export function chooseEndpoint(service: Service, wanted: string | undefined): ChosenEndpoint {
  const { url, read_only_url } = service.endpoint;
  const text = wanted?.trim();
  if (url === null) {
    if (text === undefined || text === "") return refuse("The address of the MCP server is needed.");
    return { kind: "url", url: text };
  }
  if (text === undefined) return { kind: "url", url };
  const [base, query] = splitOnce(text, "?");
  if (base !== url && base !== read_only_url)
    return refuse(`${service.name} has its own address; leave url out.`);
  return query === undefined ? { kind: "url", url: base } : withQuery(service, base, query);
}

function withQuery(service: Service, base: string, query: string): ChosenEndpoint {
  const chosen = new URLSearchParams();
  for (const [name, value] of new URLSearchParams(query)) {
    const known = service.endpoint.parameters.find((parameter) => parameter.name === name);
    if (known === undefined || chosen.has(name) || !matchesWhole(known.pattern, value)) {
      return refuse(known?.help ?? `${service.name} does not take this query; leave it out.`);
    }
    chosen.set(name, value);
  }
  return { kind: "url", url: chosen.size === 0 ? base : `${base}?${chosen.toString()}` };
}

/** Origins of the service's MCP server. Its stored destinations lie there, or in `moved_from`. */
export function serviceOrigins(service: Service): readonly string[] {
  const { url, read_only_url } = service.endpoint;
  const urls = [url, read_only_url].filter((text) => typeof text === "string");
  return [...new Set(urls.map((text) => new URL(text).origin))];
}

/** Did the service move away from the place that this stored address names? */
export function hasMoved(service: Service, storedUrl: string): boolean {
  return URL.canParse(storedUrl) && service.moved_from.includes(new URL(storedUrl).origin);
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function refuse(message: string): ChosenEndpoint {
  return { kind: "errors", errors: [{ path: "url", message }] };
}
