import { availabilityOf, needsOwnClient, type Availability } from "./availability.ts";
import {
  customId,
  type HeaderForm,
  type KeyMode,
  type Service,
  type ServiceInput,
  serviceSchema,
} from "./service.ts";

export interface CatalogueOptions {
  /** Ids of services that the operator paused. */
  readonly paused: readonly string[];
  /** Ids of services for which the operator configured an OAuth client. */
  readonly preRegistered: ReadonlySet<string>;
}

export interface Catalogue {
  get(id: string): Service | undefined;
  /** The demo first, any other server last, by name between. */
  list(): readonly Service[];
  isPaused(service: Service): boolean;
  availability(service: Service): Availability;
  publicView(service: Service): PublicService;
}

interface PublicKeyMode extends Pick<KeyMode, "id" | "label" | "fields" | "create_key_url" | "instructions"> {
  readonly header: HeaderForm;
  /** The person may send `header` with another name and prefix. */
  readonly header_choice: boolean;
}

/** One entry of `GET /api/services`. */
export interface PublicService extends Pick<
  Service,
  | "id"
  | "name"
  | "category"
  | "description"
  | "docs_url"
  | "status"
  | "verified"
  | "requirements"
  | "warnings"
  | "notes"
> {
  readonly available: boolean;
  readonly unavailable_reason?: string;
  readonly paused: boolean;
  /** The service has a sign-in; whether it can be used here says `oauth_available`. */
  readonly oauth: boolean;
  readonly oauth_available: boolean;
  readonly oauth_unavailable_reason?: string;
  readonly key_available: boolean;
  readonly key_unavailable_reason?: string;
  /** A person may sign in through an app of their own; where `required`, in no other way. */
  readonly own_client?: NonNullable<NonNullable<Service["oauth"]>["own_client"]> & {
    readonly required: boolean;
  };
  /** The person gives the address of the MCP server. */
  readonly url_required: boolean;
  readonly endpoint: Pick<Service["endpoint"], "url" | "read_only_url" | "parameters">;
  readonly key_modes: readonly PublicKeyMode[];
  /** The service's own page for ending what was granted. */
  readonly manage_url?: string;
}

/** Checks a definition and fills in what it leaves out. */
export function complete(definition: ServiceInput): Service {
  return deepFreeze(serviceSchema.parse(definition));
}

export function catalogueOf(services: readonly Service[], options: CatalogueOptions): Catalogue {
  const byId = new Map(services.map((service) => [service.id, service]));
  if (byId.size !== services.length) throw new TypeError("two service definitions have the same id");
  const sorted = services.toSorted((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name, "en"));
  const paused = new Set(options.paused);

  const isPaused = (service: Service): boolean => paused.has(service.id);
  const operatorClient = (service: Service): boolean => options.preRegistered.has(service.id);
  const availability = (service: Service): Availability =>
    availabilityOf(service, { paused: isPaused(service), operatorClient: operatorClient(service) });

  function publicView(service: Service): PublicService {
    const { url, read_only_url, parameters } = service.endpoint;
    const { oauth, key, ...overall } = availability(service);
    const own = service.oauth?.own_client;
    const manage = service.oauth?.revocation.manage_url;
    return {
      id: service.id,
      name: service.name,
      category: service.category,
      description: service.description,
      docs_url: service.docs_url,
      status: service.status,
      verified: service.verified,
      requirements: service.requirements,
      warnings: service.warnings,
      notes: service.notes,
      available: overall.available,
      ...(overall.available ? {} : { unavailable_reason: overall.reason }),
      paused: isPaused(service),
      oauth: service.oauth !== undefined,
      oauth_available: oauth.available,
      ...(oauth.available ? {} : { oauth_unavailable_reason: oauth.reason }),
      key_available: key.available,
      ...(key.available ? {} : { key_unavailable_reason: key.reason }),
      ...(own && { own_client: { ...own, required: needsOwnClient(service, operatorClient(service)) } }),
      url_required: url === null,
      endpoint: { url, ...(read_only_url !== undefined && { read_only_url }), parameters },
      key_modes: service.key_modes.map(publicKeyMode),
      ...(manage !== undefined && { manage_url: manage }),
    };
  }

  return { get: (id) => byId.get(id), list: () => sorted, isPaused, availability, publicView };
}

function publicKeyMode(mode: KeyMode): PublicKeyMode {
  const { id, label, fields, header, header_choice, create_key_url, instructions } = mode;
  const shown = { id, label, fields, header, header_choice, instructions };
  return create_key_url === undefined ? shown : { ...shown, create_key_url };
}

function rank({ id }: Service): number {
  if (id === "demo") return 0;
  return id === customId ? 2 : 1;
}

/** An isolate serves many people with the same definitions: none may change them for another. */
function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) Object.values(Object.freeze(value)).forEach(deepFreeze);
  return value;
}
