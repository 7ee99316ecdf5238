import { day } from "../lib/clock.ts";
import type { Connection } from "../store/connection.ts";

/** How a connection is, as its rows and its calls showed; nobody was asked for it. */
export type Health =
  | "working"
  | "expires_soon"
  | "reauthorize"
  | "refused"
  | "provider_unreachable"
  | "never_used"
  | "suspended"
  | "disconnected";

/** A token that cannot be renewed is announced this long before its end, ms. */
const soon = 7 * day;

export function healthOf(connection: Connection, now: number): Health {
  if (connection.status !== "active") return connection.status;
  if (connection.state === "reauth" || hasEnded(connection, now)) return "reauthorize";
  if (connection.refused_since !== null) return "refused";
  if (connection.unreachable_since !== null) return "provider_unreachable";
  if (endsAt(connection) < now + soon) return "expires_soon";
  return connection.last_used_at === null ? "never_used" : "working";
}

/** Since when only the person can help, or null. */
export function reauthorizeSince(connection: Connection, now: number): number | null {
  if (connection.state === "reauth") return connection.reauth_since;
  return hasEnded(connection, now) ? connection.access_expires_at : null;
}

/** When an access token ends that nobody can renew. */
function endsAt({ refreshable, access_expires_at: end }: Connection): number {
  return refreshable === 1 || end === null ? Number.POSITIVE_INFINITY : end;
}

/** An access token that ended and cannot be renewed. */
function hasEnded(connection: Connection, now: number): boolean {
  return endsAt(connection) <= now;
}

export function healthSentence(connection: Connection, service: string, now: number): string {
  switch (healthOf(connection, now)) {
    case "working":
      return `Works: ${service} answered the last calls.`;
    case "expires_soon":
      return `Works until ${endOf(connection.access_expires_at ?? now, now)}. ${service} gave no way to renew it: sign in again before then; address and key can stay.`;
    case "reauthorize":
      return `${service} ended the sign-in${since(reauthorizeSince(connection, now))}. Sign in again; address and key can stay.`;
    case "refused":
      return connection.kind === "key"
        ? `${service} has refused the stored key${since(connection.refused_since)}. Create a new key there and give it here; address and key of the connection can stay.`
        : `${service} has refused this connection${since(connection.refused_since)}. Sign in again; address and key can stay.`;
    case "provider_unreachable":
      return `${service} has not answered${since(connection.unreachable_since)}. Nothing is wrong with the connection; the next call that works clears this.`;
    case "never_used":
      return "Not used yet. Give the address or the key to a client and make a first call.";
    case "suspended":
      return "Suspended: calls are answered with a sentence until it is resumed. Nothing is lost.";
    case "disconnected":
      return `Disconnected${since(connection.disconnected_at)}. Within 30 days it can be connected again under the same id; the old address and key stay dead.`;
  }
}

function since(time: number | null): string {
  return time === null ? "" : ` since ${dateOf(time)}`;
}

/** Within a day the date alone says nothing. */
function endOf(time: number, now: number): string {
  if (time > now + day) return dateOf(time);
  const [, clock = ""] = new Date(time).toISOString().split("T");
  return `${dateOf(time)}, ${clock.slice(0, 5)} UTC`;
}

function dateOf(time: number): string {
  return new Date(time).toLocaleDateString("en-GB", {
    day: "numeric",
    month: "long",
    year: "numeric",
    timeZone: "UTC",
  });
}
