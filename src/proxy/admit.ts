import { entitlementOf } from "../billing/entitlement.ts";
import { fromBase64Url, equal, toBase64Url } from "../lib/bytes.ts";
import { Fault } from "../lib/fault.ts";
import type { Defer } from "../lib/defer.ts";
import type { Limiter } from "../lib/limiter.ts";
import { errorKind } from "../lib/log.ts";
import { readCurrentBlob } from "../grants/current-blob.ts";
import { openGrant, shownUrl, type GrantBinding, type GrantKey } from "../grants/grant.ts";
import { managedKey, userHeldKey } from "../grants/grant-key.ts";
import type { Held } from "../grants/held.ts";
import { revokeOnPresentation, type RevocationDeps } from "../grants/revocation.ts";
import type { AdmissionRow } from "../store/admission.ts";
import type { Credential } from "../vault/credential.ts";
import { deriveVerifier, importKeyMaterial, lookupOf } from "../vault/derive.ts";
import { VaultError } from "../vault/envelope.ts";

export interface AdmitDeps extends RevocationDeps {
  readonly limits: { readonly connection: Limiter };
  /** Undefined: no billing, no limits. `trial` in ms; `page` is where a plan is paid for. */
  readonly billing: { readonly trial: number; readonly page: string } | undefined;
  readonly defer: Defer;
}

/** A request that may go on: the opened grant, and what it was opened with. */
export interface Admitted extends Held {
  readonly row: AdmissionRow;
}

/**
 * May this credential use this service now? One read of D1, at most one of KV, and nothing is decrypted before the
 * credential's second half is proven. Unknown, wrong half, wrong service and disconnected end in the same fault, so
 * that answers tell a guesser nothing.
 */
export async function admit(service: string, credential: Credential, deps: AdmitDeps): Promise<Admitted> {
  const lookup = await lookupOf(credential);
  const fingerprints = deps.keyring?.fingerprints ?? [];
  const hasBilling = deps.billing !== undefined;
  const row = await deps.stores.connections.admit(toBase64Url(lookup), fingerprints, hasBilling);
  if (row === null) throw new Fault("unknown_credential");
  const material = await importKeyMaterial(credential.key);
  const verifier = await deriveVerifier(material, row.id);
  const expected = fromBase64Url(row.verifier);
  if (expected === undefined || !equal(verifier, expected)) throw new Fault("unknown_credential");
  if (row.service !== service) throw new Fault("unknown_credential");
  if (row.status === "disconnected") {
    // Its holder is here for once, so the grant that nobody else can open can be revoked. They are told nothing of it.
    if (row.revocation === "awaiting_credential") {
      deps.defer("revoke_grant", revokeOnPresentation(row.id, credential, deps));
    }
    throw new Fault("unknown_credential");
  }

  if (row.status === "suspended" || !isPaidFor(row, deps)) {
    const params = deps.billing === undefined ? {} : { page: deps.billing.page };
    throw new Fault("connection_suspended", { params });
  }
  const definition = deps.catalogue.get(row.service);
  if (definition !== undefined && deps.catalogue.isPaused(definition))
    throw new Fault("service_paused", { retryAfter: 60 });
  if (!(await deps.limits.connection(row.id))) throw new Fault("rate_limited", { retryAfter: 60 });

  const binding: GrantBinding = {
    connectionId: row.id,
    workspaceId: row.workspace_id,
    service: row.service,
    storage: row.storage,
    lookup,
    verifier,
    generation: row.gen,
  };
  try {
    const key = row.storage === "managed" ? await managedKeyOf(row, deps) : userHeldKey(material);
    const sealed = await readCurrentBlob(row, deps.stores.blobs, deps.log);
    const grant = await openGrant(sealed, key, binding, deps.environment);
    // The row repeats the address for display, an older one with its query. Somebody who edited it meant the secret to
    // go elsewhere.
    if (row.upstream_url !== grant.url && row.upstream_url !== shownUrl(grant, row.service))
      throw new VaultError("unsealable");
    return { row, grant, key, binding };
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    deps.log({ event: "grant_unreadable", connection: row.id, error: errorKind(error) });
    throw new Fault(error.code === "unknown_key" ? "master_key_missing" : "grant_unreadable");
  }
}

/** A plan that ended a moment ago counts before any job has written so. */
function isPaidFor({ plan }: AdmissionRow, { billing }: AdmitDeps): boolean {
  if (billing === undefined || plan === null) return true;
  return entitlementOf({ billing, ...plan }).allowed > 0;
}

async function managedKeyOf(row: AdmissionRow, deps: AdmitDeps): Promise<GrantKey> {
  // The operator let go of a data key whose master key is lost for good.
  if (row.data_key_id === null && row.state === "reauth") throw new Fault("reauthorize_required");
  const wrapped =
    row.data_key_id === null || row.wrapped_data_key === null
      ? null
      : { id: row.data_key_id, wrapped: row.wrapped_data_key };
  return await managedKey(wrapped, row.workspace_id, deps.keyring, deps.environment);
}
