import { checkDestination, type DestinationPolicy } from "../lib/destination.ts";
import { Fault, type FieldError } from "../lib/fault.ts";
import { chooseEndpoint } from "../services/endpoint.ts";
import type { Catalogue } from "../services/index.ts";
import { readPath } from "../services/json-path.ts";
import { assembleSecret, chooseHeader, chooseKeyMode, formatHeader } from "../services/key-mode.ts";
import type { HeaderForm, KeyMode, Service } from "../services/service.ts";
import type { StorageMode } from "../store/connections.ts";
import { mintConnection, type MintDeps, type Minted } from "./mint.ts";
import { probeMcp, probeRequest, type ProbeDeps } from "./probe.ts";

export interface KeyConnectionRequest {
  readonly service: string;
  /** Only for services whose address the person gives. */
  readonly url?: string | undefined;
  readonly mode?: string | undefined;
  readonly fields: Readonly<Record<string, string>>;
  readonly header?: { readonly name: string; readonly prefix?: string | undefined } | undefined;
  readonly storage: StorageMode;
  readonly label?: string | undefined;
}

export interface KeyConnectionDeps extends MintDeps, ProbeDeps {
  readonly catalogue: Catalogue;
  readonly destinations: DestinationPolicy;
}

/** Connects a service with a key: everything is checked, the key at the service last, before anything is stored. */
export async function connectWithKey(
  workspaceId: string,
  wanted: KeyConnectionRequest,
  deps: KeyConnectionDeps,
): Promise<Minted> {
  const service = deps.catalogue.get(wanted.service);
  if (service === undefined) throw new Fault("unknown_service");
  const { key: way } = deps.catalogue.availability(service);
  if (!way.available) throw new Fault("service_not_available", { params: { reason: way.reason } });
  if (wanted.storage === "managed" && deps.keyring === undefined) throw new Fault("storage_not_configured");

  const { mode, url, header, secret } = readForm(service, wanted, deps.destinations);
  const name = service.endpoint.url === null ? new URL(url).host : service.name;
  const transport = await validate({ service, mode, url, name, header, secret }, deps);
  return await mintConnection(
    {
      workspaceId,
      service: service.id,
      label: wanted.label ?? name,
      kind: "key",
      storage: wanted.storage,
      grant: {
        v: 1,
        kind: "key",
        url,
        transport,
        header,
        secret,
        extra_headers: service.endpoint.extra_headers,
      },
    },
    deps,
  );
}

interface Form {
  readonly mode: KeyMode;
  readonly url: string;
  readonly header: HeaderForm;
  readonly secret: string;
}

/** Reads what the person gave against what the service wants, and reports every wrong field at once. */
function readForm(service: Service, wanted: KeyConnectionRequest, destinations: DestinationPolicy): Form {
  const mode = chooseKeyMode(service, wanted.mode);
  if (mode === undefined) {
    const known = service.key_modes.map(({ id }) => id).join(", ");
    throw invalid([{ path: "mode", message: `${service.name} knows: ${known}.` }]);
  }
  const url = chooseUrl(service, wanted.url, destinations);
  const header = chooseHeader(mode, wanted.header);
  const secret = assembleSecret(mode, wanted.fields);
  const errors = [
    ...(url.kind === "errors" ? url.errors : []),
    ...(header.kind === "errors" ? header.errors : []),
    ...(secret.kind === "errors" ? secret.errors : []),
  ];
  if (url.kind === "errors" || header.kind === "errors" || secret.kind === "errors") throw invalid(errors);
  return { mode, url: url.url, header: header.header, secret: secret.secret };
}

type ChosenUrl = ReturnType<typeof chooseEndpoint>;

/** The service's own address, one of its variants, or an address of the person's that may be requested. */
function chooseUrl(service: Service, wanted: string | undefined, destinations: DestinationPolicy): ChosenUrl {
  const chosen = chooseEndpoint(service, wanted);
  if (chosen.kind === "errors") return chosen;
  const verdict = checkDestination(chosen.url, destinations);
  if (verdict.ok) return service.endpoint.url === null ? { kind: "url", url: verdict.url.href } : chosen;
  if (verdict.reason === "shape")
    return { kind: "errors", errors: [{ path: "url", message: verdict.message }] };
  // Told exactly like a server that does not answer.
  throw new Fault("target_unreachable", { params: { service: new URL(chosen.url).host } });
}

function invalid(errors: readonly FieldError[]): Fault {
  return new Fault("invalid_request", { errors });
}

interface Attempt extends Form {
  readonly service: Service;
  readonly name: string;
}

/** Shows the key to the service in the way that its definition says, and learns the transport. */
async function validate(attempt: Attempt, deps: ProbeDeps): Promise<"http" | "sse"> {
  const { service, mode, url, name, header, secret } = attempt;
  const { validation } = mode;
  if (validation.kind === "mcp_initialize") {
    const headers = { ...service.endpoint.extra_headers, [header.name]: formatHeader(header, secret) };
    return await probeMcp({ url, service: name, headers }, deps);
  }
  const headers = { [validation.header.name]: formatHeader(validation.header, secret) };
  const path = validation.expect.json_path;
  await probeRequest(
    { url: validation.url, service: name, headers },
    {
      method: validation.method,
      headers: validation.headers,
      ...(validation.body === undefined ? {} : { body: validation.body }),
    },
    {
      status: validation.expect.status,
      holds: (body) => path === undefined || (readPath(body, path) ?? null) !== null,
    },
    deps,
  );
  return service.endpoint.transport;
}
