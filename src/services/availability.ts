import type { Service } from "./service.ts";

type Way = { readonly available: true } | { readonly available: false; readonly reason: string };

export type Availability = Way & { readonly oauth: Way; readonly key: Way };

interface Circumstances {
  readonly paused: boolean;
  /** The operator configured an OAuth client for this service. */
  readonly operatorClient: boolean;
}

const yes: Way = { available: true };

/** Can the service be connected here and now, by signing in and by key; if not, who must do what. */
export function availabilityOf(service: Service, circumstances: Circumstances): Availability {
  if (circumstances.paused) {
    const way = no(
      `${service.name} is paused by the operator of this deployment. Existing connections are kept.`,
    );
    return { ...way, oauth: way, key: way };
  }
  const oauth = oauthWay(service, circumstances.operatorClient);
  const key =
    service.key_modes.length > 0 ? yes : no(`${service.name} has no documented way to connect with a key.`);
  if (oauth.available || key.available) return { ...yes, oauth, key };
  if (service.oauth === undefined) {
    return {
      ...no(`${service.name} needs no sign-in: point your MCP client straight at its address.`),
      oauth,
      key,
    };
  }
  return { ...oauth, oauth, key };
}

/** No client of ours can sign in, so the person must bring one of their own. */
export function needsOwnClient(service: Service, operatorClient: boolean): boolean {
  return service.oauth?.own_client !== undefined && !operatorClient && !registersItself(service);
}

function oauthWay(service: Service, operatorClient: boolean): Way {
  const { oauth, name } = service;
  if (oauth === undefined) return no(`${name} offers no sign-in.`);
  if (operatorClient || registersItself(service) || oauth.own_client !== undefined) return yes;
  const variable = clientVariable(service.id);
  const set = `and set ${variable}_CLIENT_ID, with ${variable}_CLIENT_SECRET if it has a secret.`;
  if (oauth.redirect === "allow_list") {
    return no(
      `${name} accepts only redirect addresses that it has approved. The operator of this deployment must have ` +
        `its address approved there ${set}`,
    );
  }
  if (service.status === "gated") {
    return no(
      `${name} accepts only clients that it has approved. The operator of this deployment must have one approved ` +
        `there ${set}`,
    );
  }
  return no(
    `${name} has no automatic registration. The operator of this deployment must create an OAuth client there ${set}`,
  );
}

function registersItself({ oauth, status }: Service): boolean {
  if (oauth === undefined || status === "gated" || oauth.redirect === "allow_list") return false;
  return oauth.clients.includes("cimd") || oauth.clients.includes("dcr");
}

/** `google-drive` → `GOOGLE_DRIVE`, as in `GOOGLE_DRIVE_CLIENT_ID`. */
function clientVariable(id: string): string {
  return id.toUpperCase().replaceAll("-", "_");
}

function no(reason: string): { readonly available: false; readonly reason: string } {
  return { available: false, reason };
}
