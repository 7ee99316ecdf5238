import { minute, second } from "../lib/clock.ts";
import { readPath } from "../services/json-path.ts";
import type { Service } from "../services/service.ts";
import type { OauthGrant } from "./grant.ts";

/** How long a lease lasts, ms: the provider's time and the writes after it fit in, whatever isolates' clocks say. */
export const leaseLength = 45 * second;
/** What of a lease must be left when a request leaves, ms: the time-out of an exchange and both budgets below. */
export const attemptBudget = 30 * second;
/** How long the commit is tried before the journal is written, ms. */
export const commitBudget = 5 * second;
/** How long the journal is tried, ms. */
export const journalBudget = 4 * second;
/** A repeat must arrive inside the provider's grace, and the way there takes time. ms. */
export const graceMargin = 5 * second;
/** How long a request waits for somebody else's refresh, ms. */
export const readerPatience = 20 * second;

/** What is known of a service's tokens; of a server outside the catalogue, nothing is. */
export interface RefreshPolicy {
  /** Error codes that mean, besides `invalid_grant`, that only a new sign-in helps. */
  readonly permanentErrors: readonly string[];
  /** ms during which a refresh token that was used already is answered again; 0 where none is known. */
  readonly grace: number;
  /** Using a refresh token again after the grace ends every grant of the application. */
  readonly reuseRevokesApp: boolean;
  /** A repeat inside the grace is answered without a refresh token, and the old one is used up. */
  readonly graceWithoutRefreshToken: boolean;
  /** Where a service may nest its tokens. */
  readonly nested: (body: unknown) => unknown;
}

export function refreshPolicy(service: Service | undefined): RefreshPolicy {
  const oauth = service?.oauth;
  const path = oauth?.token_response_path;
  return {
    permanentErrors: ["invalid_grant", "invalid_client", ...(oauth?.permanent_errors ?? [])],
    grace: (oauth?.refresh.grace_s ?? 0) * second,
    reuseRevokesApp: oauth?.refresh.reuse === "revokes_app",
    graceWithoutRefreshToken: oauth?.refresh.grace_without_refresh_token ?? false,
    nested: (body) => (path === undefined ? undefined : readPath(body, path)),
  };
}

/** From when on a token is renewed: five minutes before its end, or a tenth of its life where that is less. */
export function refreshFrom(grant: Pick<OauthGrant, "issued_at" | "expires_at">): number {
  if (grant.expires_at === null) return Number.POSITIVE_INFINITY;
  return grant.expires_at - Math.min(5 * minute, (grant.expires_at - grant.issued_at) / 10);
}

/**
 * The wait after an answer without tokens, ms, 1 s … 15 min: what the provider asked for, else half of the time that
 * the renewal has been due. So waits grow without a counter.
 */
export function backOff(dueFor: number, retryAfter: number | undefined): number {
  return Math.round(Math.min(Math.max(retryAfter ?? dueFor / 2, second), 15 * minute));
}
