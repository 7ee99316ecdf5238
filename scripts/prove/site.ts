import type { Evidence, Collected } from "./evidence.ts";
import type { Secrets } from "./secrets.ts";
import type { Dice } from "./dice.ts";

/** How an MCP server misbehaves, besides repeating in body and headers whatever it was sent. */
export const callModes = [
  "echo",
  "echo 500",
  "401",
  "403",
  "more access",
  "redirect",
  "events",
  "html",
  "reset",
  "hang",
  "cut",
] as const;
export type CallMode = (typeof callModes)[number];

/** How a token endpoint misbehaves. Each repeats the request it got. */
export const tokenModes = [
  "tokens",
  "tokens in scope",
  "html",
  "503",
  "429",
  "invalid_grant",
  "odd error",
  "reset",
  "cut",
] as const;
export type TokenMode = (typeof tokenModes)[number];

/** A service of its own: an MCP server with its authorization server, its keys and tokens. */
export interface Site {
  readonly id: string;
  readonly url: string;
  readonly issuer: string;
  /** The key that it takes. */
  readonly key: string;
  /** The header that the key comes in, where it is not `Authorization`. */
  readonly header: string | undefined;
  /** How a registered client proves itself. */
  readonly method: "client_secret_basic" | "client_secret_post";
  /** Its client, by registration or as the person's own. */
  readonly client: { readonly id: string; readonly secret: string };
  /** The access tokens that it gave out, and those that it takes now. */
  readonly issued: Set<string>;
  readonly tokens: Set<string>;
  /** What the next requests get; when there is nothing left, the first of the list. */
  readonly calls: CallMode[];
  readonly grants: TokenMode[];
  /** A key that it does not take is refused with this status. */
  refusal: number;
  /** Seconds that access tokens live. */
  life: number;
}

/** Where the server of all sites is. */
export interface SiteDeps {
  readonly origin: string;
  readonly dice: Dice;
  readonly secrets: Secrets;
  readonly collected: Collected;
}

export function createSite({ origin, dice, secrets }: SiteDeps): Site {
  const id = dice.text(12);
  return {
    id,
    url: `${origin}/${id}/mcp`,
    issuer: `${origin}/${id}`,
    key: secrets.make("service API key", id),
    header: dice.chance(0.4) ? "X-Service-Key" : undefined,
    method: dice.pick(["client_secret_basic", "client_secret_post"]),
    client: { id: `client-${dice.text(8)}`, secret: secrets.make("OAuth client secret", id) },
    issued: new Set(),
    tokens: new Set(),
    calls: [],
    grants: [],
    refusal: dice.pick([401, 403, 500, 404]),
    life: dice.pick([1, 3600]),
  };
}

/** A new pair of tokens, of which the site takes the first. */
export function issueTokens(site: Site, secrets: Secrets, scope = "read write"): Record<string, unknown> {
  const access = secrets.make("OAuth access token", site.id);
  const refresh = secrets.make("OAuth refresh token", site.id);
  site.issued.add(access);
  site.tokens.add(access);
  return {
    access_token: access,
    refresh_token: refresh,
    token_type: "Bearer",
    expires_in: site.life,
    scope: scope === "tokens" ? `read ${access} ${refresh}` : scope,
  };
}

/** The allowance for what reached an address of a site. */
export function allowedAt(site: Site, end: string): Evidence["allowed"] {
  if (end === "/token") return [{ rule: "the request for tokens", owner: site.id }];
  if (end === "/revoke") return [{ rule: "the request to revoke", owner: site.id }];
  return [];
}
