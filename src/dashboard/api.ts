/** The page's only way to the server. */
import {
  erasedSchema,
  eventsSchema,
  nonceSchema,
  sentSchema,
  tokenMadeSchema,
  tokenRevokedSchema,
  tokensSchema,
  verifiedSchema,
} from "./account-schemas.ts";
import {
  billingSchema,
  checkoutSchema,
  portalSchema,
  previewSchema,
  verifySchema,
} from "./billing-schemas.ts";
import {
  activitySchema,
  begunSchema,
  configSchema,
  connectedSchema,
  connectionSchema,
  connectionsSchema,
  disconnectedSchema,
  healthSchema,
  meSchema,
  servicesSchema,
  type StorageMode,
} from "./schemas.ts";
import { send, sendText, type Answer } from "./send.ts";

export { explain, errorAt, type Answer, type Failure } from "./send.ts";

export interface ConnectInput {
  service: string;
  mode?: string;
  url?: string;
  fields: Record<string, string>;
  header?: { name: string; prefix: string };
  storage?: StorageMode;
  label?: string;
  /** Id of the connection that gets this key. */
  reauthorize?: string;
  /** Its present credential, to keep it. */
  credential?: string;
}

export interface SignInInput {
  service?: string;
  /** Id of the connection to sign in again; in place of `service`. */
  reauthorize?: string;
  url?: string;
  client?: { id: string; secret?: string };
  storage?: StorageMode;
  label?: string;
  return_to: string;
}

/** What the provider sent back, and with `credential` the wish to keep that one. */
export interface SignInAnswer {
  state: string;
  code?: string;
  iss?: string;
  error?: string;
  error_description?: string;
  credential?: string;
}

export interface EventFilter {
  type?: string;
  connection?: string;
  /** ISO times: from inclusive, to exclusive. */
  from?: string;
  to?: string;
}

export interface NewToken {
  name: string;
  scope: string;
  expires_in_days?: number;
}

export interface SupportInput {
  subject: string;
  message: string;
}

/** A connection, with its present credential if its holder gave it. */
export interface Presented {
  id: string;
  credential?: string;
}

export const api = {
  config: () => send(configSchema, { method: "GET", path: "/api/config" }),
  me: () => send(meSchema, { method: "GET", path: "/api/me" }),
  services: () => send(servicesSchema, { method: "GET", path: "/api/services" }),
  connections: (cursor?: string) =>
    send(connectionsSchema, { method: "GET", path: `/api/connections${queryOf({ cursor })}` }),
  connect: (body: ConnectInput) => send(connectedSchema, { method: "POST", path: "/api/connections", body }),
  connection: (id: string) => send(connectionSchema, { method: "GET", path: connectionPath(id) }),
  health: (id: string) => send(healthSchema, { method: "GET", path: `${connectionPath(id)}/health` }),
  activity: (id: string, days: number) =>
    send(activitySchema, { method: "GET", path: `${connectionPath(id)}/activity${queryOf({ days })}` }),
  authorize: (body: SignInInput) =>
    send(begunSchema, { method: "POST", path: "/api/connections/authorize", body }),
  complete: (body: SignInAnswer) =>
    send(connectedSchema, { method: "POST", path: "/api/connections/complete", body }),
  regenerate: ({ id, credential }: Presented) =>
    send(connectedSchema, {
      method: "POST",
      path: `${connectionPath(id)}/credential`,
      body: credential ? { credential } : {},
    }),
  rename: (id: string, label: string) =>
    send(connectionSchema, { method: "PATCH", path: connectionPath(id), body: { label } }),
  disconnect: (presented: Presented) => end(presented, ""),
  purge: (presented: Presented) => end(presented, "?purge=now"),

  events: (filter: EventFilter, cursor?: string) =>
    send(eventsSchema, { method: "GET", path: `/api/events${queryOf({ ...filter, cursor })}` }),
  verify: (cursor?: string, expect?: string) =>
    send(verifiedSchema, { method: "GET", path: `/api/events/verify${queryOf({ cursor, expect })}` }),
  exportEvents: (after: number): Promise<Answer<string>> =>
    sendText({ method: "GET", path: `/api/events/export${queryOf({ after })}` }),

  tokens: () => send(tokensSchema, { method: "GET", path: "/api/tokens" }),
  createToken: (body: NewToken) => send(tokenMadeSchema, { method: "POST", path: "/api/tokens", body }),
  revokeToken: (id: string) =>
    send(tokenRevokedSchema, { method: "DELETE", path: `/api/tokens/${encodeURIComponent(id)}` }),

  billing: () => send(billingSchema, { method: "GET", path: "/api/billing" }),
  /** Asks Stripe how things stand, and what became of a checkout if one is named. */
  verifyBilling: (checkout?: string) =>
    send(verifySchema, {
      method: "POST",
      path: "/api/billing/verify",
      body: checkout === undefined ? {} : { session_id: checkout },
    }),
  checkout: (quantity: number) =>
    send(checkoutSchema, {
      method: "POST",
      path: "/api/billing/checkout",
      body: { quantity, return_to: location.origin },
    }),
  portal: () =>
    send(portalSchema, { method: "POST", path: "/api/billing/portal", body: { return_to: location.origin } }),
  previewQuantity: (quantity: number) =>
    send(previewSchema, { method: "POST", path: "/api/billing/quantity", body: { quantity, preview: true } }),
  /** `proration_date` as the preview named it: the amount is then what was shown. */
  changeQuantity: (body: { quantity: number; proration_date: number }) =>
    send(billingSchema, { method: "POST", path: "/api/billing/quantity", body }),

  erase: (confirm: string) =>
    send(erasedSchema, { method: "DELETE", path: "/api/account", body: { confirm } }),
  askSupport: async (input: SupportInput) => {
    const nonce = await send(nonceSchema, { method: "GET", path: "/api/support/nonce" });
    if (!nonce.ok) return nonce;
    const body = { ...input, nonce: nonce.value.nonce };
    return await send(sentSchema, { method: "POST", path: "/api/support", body });
  },
};

const connectionPath = (id: string) => `/api/connections/${encodeURIComponent(id)}`;

const end = ({ id, credential }: Presented, query: string) =>
  send(disconnectedSchema, {
    method: "DELETE",
    path: `${connectionPath(id)}${query}`,
    ...(credential ? { headers: { "Bindify-Credential": inHeader(credential) } } : {}),
  });

/** A header takes no other characters, nor does a credential: with this in their place it is refused as what it is. */
const inHeader = (typed: string): string => typed.replaceAll(/[^ -~]/g, "?");

function queryOf(values: Record<string, string | number | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== "") query.set(name, String(value));
  }
  return query.size === 0 ? "" : `?${query.toString()}`;
}
