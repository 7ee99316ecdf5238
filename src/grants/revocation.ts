import { day, type Clock } from "../lib/clock.ts";
import { errorKind, type Log } from "../lib/log.ts";
import { readCurrentBlob } from "./current-blob.ts";
import { findJournal } from "./adopt.ts";
import { openGrant, type Grant } from "./grant.ts";
import { bindingOf, storedKey, userHeldKey } from "./grant-key.ts";
import { revokeGrant, wouldEndOthers, type Revoked } from "./revoke.ts";
import type { OauthHttp } from "../oauth/http.ts";
import type { Catalogue } from "../services/index.ts";
import type { RevocationState } from "../store/connection.ts";
import type { GrantState } from "../store/grant-row.ts";
import type { Stores } from "../store/index.ts";
import type { WaitingRevocation } from "../store/revocations.ts";
import type { Credential, CredentialEnvironment } from "../vault/credential.ts";
import { importKeyMaterial } from "../vault/derive.ts";
import type { Keyring } from "../vault/keyring.ts";

export interface RevocationDeps {
  readonly stores: Pick<Stores, "connections" | "grants" | "revocations" | "blobs" | "dataKeys">;
  readonly catalogue: Catalogue;
  readonly keyring: Keyring | undefined;
  readonly environment: CredentialEnvironment;
  readonly oauth: OauthHttp;
  readonly clock: Clock;
  readonly log: Log;
}

/** Tries at once, before the outcome is recorded. */
const tries = 2;
/** From then on a try is the last, ms: what a disconnected connection left is deleted after 30 days. */
const lastTry = 29 * day;

/**
 * Opens a disconnected grant one last time, asks its provider to revoke it, and records the outcome. The row must say
 * `pending`; where the provider does not do it, it says `otherwise` after. Its owner may take it back meanwhile: then
 * nothing is asked and nothing recorded. Answers whether the provider, if it had to be asked, did its part.
 */
export async function attemptRevocation(
  id: string,
  present: Credential | undefined,
  otherwise: RevocationState,
  deps: RevocationDeps,
): Promise<boolean> {
  let outcome: RevocationState | undefined;
  const state = await deps.stores.grants.read(id);
  if (state?.status !== "disconnected") return true;
  try {
    const revoked = await openAndRevoke(state, present, deps);
    if (revoked === "moved") return true;
    if (revoked !== "failed") outcome = revoked;
  } catch (error) {
    deps.log({ event: "revocation_failed", connection: id, error: errorKind(error) });
  }
  const recorded = await deps.stores.revocations.set(id, "pending", outcome ?? otherwise, state.gen);
  const keep = outcome === undefined && (otherwise === "awaiting_credential" || otherwise === "pending");
  if (recorded !== null && !keep)
    await deps.stores.blobs.delete({ connectionId: id, generation: state.gen, fence: state.blob_fence });
  return outcome !== undefined;
}

/** A dead credential was presented: its holder can open the grant, so now it can be revoked. One of many wins. */
export async function revokeOnPresentation(
  id: string,
  present: Credential,
  deps: RevocationDeps,
): Promise<void> {
  const won = await deps.stores.revocations.set(id, "awaiting_credential", "pending", null);
  if (won !== null) await attemptRevocation(id, present, "awaiting_credential", deps);
}

/**
 * Tries again what failed, where the deployment can open the grant by itself. A user-held one that was left half-way
 * goes back to waiting for its credential. `overtaken`: another run took it.
 */
export async function retryRevocation(
  waiting: WaitingRevocation,
  deps: RevocationDeps,
): Promise<"done" | "failed" | "overtaken"> {
  const { revocations } = deps.stores;
  if (!(await revocations.claim(waiting))) return "overtaken";
  if (waiting.storage !== "managed") {
    await revocations.set(waiting.id, "pending", "awaiting_credential", null);
    return "done";
  }
  const otherwise = waiting.age > lastTry ? "failed" : "pending";
  return (await attemptRevocation(waiting.id, undefined, otherwise, deps)) ? "done" : "failed";
}

async function openAndRevoke(
  state: GrantState,
  present: Credential | undefined,
  deps: RevocationDeps,
): Promise<Revoked | "skipped" | "moved"> {
  const key =
    state.storage === "managed"
      ? await storedKey(state, deps)
      : present === undefined
        ? undefined
        : userHeldKey(await importKeyMaterial(present.key));
  if (key === undefined) return "failed";
  const sealed = await readCurrentBlob(state, deps.stores.blobs, deps.log);
  const grant = await openGrant(sealed, key, bindingOf(state), deps.environment);
  // The person may have connected again since: then it stays as it is.
  if (grant.kind === "oauth") {
    const owner = { workspaceId: state.workspace_id, issuer: grant.source.issuer, except: state.id };
    const service = deps.catalogue.get(state.service);
    if (await wouldEndOthers(owner, service, deps.stores.connections)) return "skipped";
  }
  const revoked = await revokeWithRepeats(grant, state, deps);
  if (revoked === "moved") return revoked;
  // A refresh may have ended in a journal only: what it brought is the living end of the grant.
  const left = state.sent_at > 0 ? await findJournal(state, deps.stores.blobs) : null;
  if (left === null) return revoked;
  const binding = { ...bindingOf(state), generation: left.name.generation };
  const newest = await openGrant(left.journal.blob, key, binding, deps.environment);
  const ended = await revokeWithRepeats(newest, state, deps);
  if (ended !== "failed" && ended !== "moved") await deps.stores.blobs.deleteJournal(left.name);
  return ended;
}

/** `moved`: the row is not what the grant was opened from any more. Its owner may have signed in again. */
async function revokeWithRepeats(
  grant: Grant,
  state: GrantState,
  deps: RevocationDeps,
): Promise<Revoked | "moved"> {
  if (grant.kind !== "oauth") return "unsupported";
  const service = deps.catalogue.get(state.service);
  for (let at = 1; ; at += 1) {
    const now = await deps.stores.grants.read(state.id);
    if (now?.status !== "disconnected" || now.gen !== state.gen) return "moved";
    const revoked = await revokeGrant(grant, service, deps);
    if (revoked !== "failed" || at >= tries) return revoked;
  }
}
