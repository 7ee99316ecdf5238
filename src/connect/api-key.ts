import type { DestinationPolicy } from "../lib/destination.ts";
import { Fault, type FieldError } from "../lib/fault.ts";
import type { KeyGrant } from "../grants/grant.ts";
import type { Catalogue } from "../services/index.ts";
import { assembleSecret, chooseHeader, chooseKeyMode, formatHeader } from "../services/key-mode.ts";
import type { HeaderForm, KeyMode, Service } from "../services/service.ts";
import type { Audit } from "../store/audit.ts";
import type { Connection, StorageMode } from "../store/connection.ts";
import type { Connections } from "../store/connections.ts";
import type { Credential } from "../vault/credential.ts";
import { chooseUrl, formerUrl, nameOf } from "./address.ts";
import { mintConnection, type Owner, type Room } from "./mint.ts";
import { connectionToRenew, renewConnection, type RenewDeps, type Renewed } from "./renew.ts";
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
  /** Id of a connection to the same service that gets this key, active or disconnected. */
  readonly reauthorize?: string | undefined;
  /** That connection's present credential, to keep it. */
  readonly present?: Credential | undefined;
}

export interface KeyConnectionDeps extends RenewDeps, ProbeDeps {
  readonly stores: RenewDeps["stores"] & {
    readonly connections: Connections;
    readonly audit: Pick<Audit, "enqueue">;
  };
  readonly catalogue: Catalogue;
  readonly destinations: DestinationPolicy;
  readonly room: Room;
}

/** Connects a service with a key: everything is checked, the key at the service last, before anything is stored. */
export async function connectWithKey(
  owner: Owner,
  wanted: KeyConnectionRequest,
  deps: KeyConnectionDeps,
): Promise<Renewed> {
  const service = deps.catalogue.get(wanted.service);
  if (service === undefined) throw new Fault("unknown_service");
  const again = await connectionToRenew(owner.workspace_id, wanted.reauthorize, deps);
  checkService(again, service);
  await deps.room.require(owner.workspace_id, wanted.reauthorize ?? null);
  const { key: way } = deps.catalogue.availability(service);
  if (!way.available) throw new Fault("service_not_available", { params: { reason: way.reason } });
  if (wanted.storage === "managed" && deps.keyring === undefined) throw new Fault("storage_not_configured");

  const former = again === undefined ? undefined : formerUrl(service, again);
  const given = { ...wanted, url: wanted.url ?? former };
  const { mode, url, header, secret } = readForm(service, given, deps.destinations);
  const name = nameOf(service, url);
  const transport = await validateRecorded({ service, mode, url, name, header, secret }, owner, wanted, deps);
  const grant: KeyGrant = {
    v: 1,
    kind: "key",
    url,
    transport,
    header,
    secret,
    extra_headers: service.endpoint.extra_headers,
  };
  const { storage, present } = wanted;
  const label = wanted.label ?? name;
  const connected =
    wanted.reauthorize === undefined
      ? await mintConnection({ owner, service: service.id, label, kind: "key", storage, grant }, deps)
      : await renewConnection(owner, wanted.reauthorize, { grant, storage, present }, deps);
  deps.defer("settle_plan", deps.room.settle(owner.workspace_id));
  return connected;
}

/** Another service's key would be sealed under this one's name. */
function checkService(again: Connection | undefined, service: Service): void {
  if (again === undefined || again.service === service.id) return;
  const message = "This connection belongs to another service.";
  throw new Fault("invalid_request", { errors: [{ path: "reauthorize", message }] });
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

function invalid(errors: readonly FieldError[]): Fault {
  return new Fault("invalid_request", { errors });
}

interface Attempt extends Form {
  readonly service: Service;
  readonly name: string;
}

/** A key that the service does not take is on record: somebody may be trying keys that are not theirs. */
async function validateRecorded(
  attempt: Attempt,
  owner: Owner,
  wanted: KeyConnectionRequest,
  deps: KeyConnectionDeps,
): Promise<"http" | "sse"> {
  try {
    return await validate(attempt, deps);
  } catch (error) {
    if (error instanceof Fault) {
      await deps.stores.audit.enqueue(owner.workspace_id, {
        type: "key_validation_failed",
        actor: owner.actor,
        connection: wanted.reauthorize ?? null,
        service: attempt.service.id,
        detail: { reason: error.code },
      });
    }
    throw error;
  }
}

/** Shows the key to the service in the way that its definition says, and learns the transport. */
async function validate(attempt: Attempt, deps: ProbeDeps): Promise<"http" | "sse"> {
  const { service, mode, url, name, header, secret } = attempt;
  const { validation } = mode;
  if (validation.kind === "mcp_initialize") {
    const headers = { ...service.endpoint.extra_headers, [header.name]: formatHeader(header, secret) };
    return await probeMcp({ url, service: name, headers }, deps);
  }
  // Whatever is not the answer that the definition describes: a key that nothing speaks for is not stored.
  if ((await probeRequest({ validation, secret, service: name }, deps)) !== "accepted")
    throw new Fault("key_rejected", { params: { service: name } });
  return service.endpoint.transport;
}
