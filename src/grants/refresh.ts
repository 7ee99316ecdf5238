import type { GrantState } from "../store/grant-row.ts";
import { adoptionWait, adoptJournal } from "./adopt.ts";
import { askProvider } from "./ask-provider.ts";
import { belongs, openCurrent, type Held, type RefreshDeps, type Refreshed } from "./held.ts";
import { graceMargin, leaseLength, refreshPolicy, type RefreshPolicy } from "./refresh-policy.ts";

/**
 * One attempt to get past generation `held.binding.generation`: by taking what somebody else stored, by adopting what
 * somebody else left, or by asking the provider. At most one isolate asks at a time: the lease in D1 decides, and
 * each later write names its fence.
 */
export async function refreshOnce(held: Held, deps: RefreshDeps): Promise<Refreshed> {
  const { grants } = deps.stores;
  const state = await grants.read(held.binding.connectionId);
  if (!belongs(state, held)) return { kind: "gone" };
  const known = await lookAround(state, held, deps);
  if (known !== "free") return known;
  // A token without a refresh token only ends.
  if (held.grant.kind !== "oauth" || held.grant.refresh_token === undefined) return { kind: "reauth" };
  const policy = refreshPolicy(deps.catalogue.get(state.service));

  const unresolved = state.state !== "live" && (state.sent_at > 0 || state.state === "reauth");
  if (unresolved) {
    const left = await afterSomebody(state, held, policy, deps);
    if (left !== "ask") return left;
  }
  const lease = await grants.acquire(state.id, state.gen, leaseLength, unresolved ? state.fence : null);
  return lease === null ? { kind: "busy" } : await askProvider(lease, held, policy, deps);
}

/** What the row says before anything is tried. */
async function lookAround(state: GrantState, held: Held, deps: RefreshDeps): Promise<Refreshed | "free"> {
  // Ours is the newer one where D1 would not take it yet.
  if (state.gen < held.binding.generation) return { kind: "busy" };
  if (state.gen > held.binding.generation)
    return { kind: "fresh", held: await openCurrent(state, held, deps) };
  if (state.state === "leased" && state.lease_until > state.now) return { kind: "busy" };
  if (state.retry_at > state.now) return { kind: "later", retryAfter: state.retry_at - state.now };
  return "free";
}

/** A request to the provider was out and its writer is gone, or it ended in `reauth`. */
async function afterSomebody(
  state: GrantState,
  held: Held,
  policy: RefreshPolicy,
  deps: RefreshDeps,
): Promise<Refreshed | "ask"> {
  const { grants } = deps.stores;
  if (adoptionWait(state) > 0) return state.state === "reauth" ? { kind: "reauth" } : { kind: "busy" };
  const adoption = await adoptJournal(state, deps.stores, deps.by ?? "request");
  if (adoption === "overtaken") return { kind: "busy" };
  if (adoption === "adopted") {
    const adopted = await grants.read(state.id);
    if (!belongs(adopted, held)) return { kind: "gone" };
    return { kind: "fresh", held: await openCurrent(adopted, held, deps) };
  }
  if (state.state === "reauth") return { kind: "reauth" };
  // The provider may have rotated, and the answer is lost. Inside its grace a repeat is answered; after it, a repeat
  // may end the grant, so it waits until the old access token is worth nothing any more.
  if (state.now < state.sent_at + policy.grace - graceMargin) return "ask";
  if (policy.reuseRevokesApp) {
    const lease = { connectionId: state.id, gen: state.gen, fence: state.fence };
    if (!(await grants.markReauth(lease, "answer_lost", deps.by ?? "request"))) return { kind: "busy" };
    deps.log({ event: "refresh_failed", connection: state.id, reason: "answer_lost" });
    return { kind: "reauth" };
  }
  const left = (state.access_expires_at ?? 0) - state.now;
  return left > 0 ? { kind: "later", retryAfter: left } : "ask";
}
