import { minute } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import type { TokenFacts } from "../store/grant-row.ts";
import type { Grant, OauthGrant } from "./grant.ts";
import { refreshFrom } from "./refresh-policy.ts";

/** What of a grant the row says in clear. A key says nothing of its end. */
export function factsOf(grant: Grant, random: Random): TokenFacts {
  if (grant.kind === "key") return { access_expires_at: null, refreshable: false, scope: null, due_at: null };
  return {
    access_expires_at: grant.expires_at,
    refreshable: grant.refresh_token !== undefined,
    scope: grant.scope,
    due_at: dueAt(grant, random),
  };
}

/** The background renews no grant more often, ms: whoever runs a server may say that its tokens end at once. */
const leastPause = 15 * minute;

/**
 * When the background renews a managed grant: before calls begin to, and by a random part of that time earlier, so
 * that grants made at once do not come at once. Tokens of a shorter life than its pause are renewed by calls, and by the
 * background often enough to keep the grant. One without a refresh token is looked at when it has ended. Null: it
 * does not end.
 */
function dueAt(grant: OauthGrant, random: Random): number | null {
  if (grant.expires_at === null) return null;
  if (grant.refresh_token === undefined) return grant.expires_at;
  const from = refreshFrom(grant);
  const [high = 0, low = 0] = random(2);
  const part = (high * 256 + low) / 65_536;
  const due = from - (grant.expires_at - from) * part;
  return Math.floor(Math.max(due, grant.issued_at + leastPause * (1 + part / 4)));
}
