import { second } from "../lib/clock.ts";
import { Fault } from "../lib/fault.ts";
import type { Random } from "../lib/random.ts";
import type { AdmissionRow } from "../store/admission.ts";
import { refreshFrom, readerPatience } from "./refresh-policy.ts";
import type { Held, RefreshDeps, Refreshed } from "./held.ts";
import { refreshOnce } from "./refresh.ts";

/** An access token this close to its end is taken for ended: the call has a way to go. ms, less for a short life. */
const skew = 2 * second;

/**
 * The grant to send now. Most calls find it fresh; near its end it is renewed beside the call; only past its end does
 * a call wait. Throws `reauthorize_required`, or `refresh_delayed` when the provider or another isolate needs longer.
 */
export async function ensureFresh(held: Held, row: AdmissionRow, deps: RefreshDeps): Promise<Held> {
  const { grant } = held;
  if (grant.kind === "key") return held;
  const now = deps.clock();
  if (now < refreshFrom(grant)) return held;
  const { expires_at: end, issued_at: start } = grant;
  const valid = end === null || now < end - Math.min(skew, (end - start) / 10);
  if (!valid) return await renewNow(held, deps);
  // One of many calls in these minutes: a lease that is taken or a wait that was asked for makes this cheap.
  const idle = row.state !== "reauth" && row.retry_at <= now;
  if (grant.refresh_token !== undefined && idle) deps.defer("refresh", renewBeside(held, deps));
  return held;
}

/**
 * Renews where nobody waits for it. A request that was not answered is repeated at once, while a grace lasts; a
 * provider that answered without tokens is left alone.
 */
export async function renewBeside(held: Held, deps: RefreshDeps): Promise<Refreshed> {
  const refreshed = await refreshOnce(held, deps);
  if (refreshed.kind !== "later" || refreshed.unanswered !== true) return refreshed;
  await new Promise((resolve) => setTimeout(resolve, refreshed.retryAfter));
  return await refreshOnce(held, deps);
}

/** Gets past the present generation, waiting for whoever is at it already. */
export async function renewNow(held: Held, deps: RefreshDeps): Promise<Held> {
  const until = deps.clock() + readerPatience;
  for (let pause = 100; ; pause = Math.min(pause * 1.5, second)) {
    const refreshed = await refreshOnce(held, deps);
    if (refreshed.kind === "fresh") return refreshed.held;
    const wait = waitFor(refreshed, pause, deps.random);
    if (deps.clock() + wait > until)
      throw new Fault("refresh_delayed", { retryAfter: Math.ceil(wait / second) });
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

function waitFor(refreshed: Exclude<Refreshed, { kind: "fresh" }>, pause: number, random: Random): number {
  switch (refreshed.kind) {
    case "busy":
      // Spread, so that those who wait do not all look at the same moment.
      return pause * (0.5 + (random(1)[0] ?? 0) / 255);
    case "later":
      return refreshed.retryAfter;
    case "reauth":
      throw new Fault("reauthorize_required");
    case "gone":
      throw new Fault("unknown_credential");
  }
}
