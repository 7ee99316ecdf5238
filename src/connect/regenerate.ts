import { Fault } from "../lib/fault.ts";
import { readCurrentBlob } from "../grants/current-blob.ts";
import { openGrant, type GrantKey } from "../grants/grant.ts";
import { bindingOf, storedKey, userHeldKey } from "../grants/grant-key.ts";
import { leaseLength } from "../grants/refresh-policy.ts";
import type { Log } from "../lib/log.ts";
import type { Connections } from "../store/connections.ts";
import type { GrantState, Lease } from "../store/grant-row.ts";
import type { Credential } from "../vault/credential.ts";
import { importKeyMaterial } from "../vault/derive.ts";
import type { Caller } from "./caller.ts";
import { isPresent, writeGeneration, type RenewDeps, type Renewed } from "./renew.ts";

export interface RegenerateDeps extends RenewDeps {
  readonly log: Log;
  readonly stores: RenewDeps["stores"] & { readonly connections: Connections };
}

/** Gives a connection a new credential, its grant untouched. From then on the old one is unknown. */
export async function regenerate(
  user: Caller,
  id: string,
  present: Credential | undefined,
  deps: RegenerateDeps,
): Promise<Renewed> {
  const owned = await deps.stores.connections.get(user.workspace_id, id);
  if (owned === null || owned.status !== "active") throw new Fault("unknown_connection");
  if (owned.storage === "zero_knowledge" && present === undefined) throw new Fault("reauthorize_needed");
  const { grants } = deps.stores;
  const lease = await grants.acquire(id, owned.gen, leaseLength, null);
  // A refresh is on its way, or came first: its tokens must not be lost.
  if (lease === null) throw new Fault("grant_delayed", { retryAfter: 5 });
  try {
    const state = await grants.read(id);
    if (state === null) throw new Fault("unknown_connection");
    const renewed = await reseal(lease, state, { present, actor: user.actor }, deps);
    if (renewed === null) throw new Fault("grant_delayed", { retryAfter: 5 });
    return renewed;
  } catch (error) {
    // Nothing was written, so nobody needs to wait for the lease to run out.
    await grants.release(lease);
    throw error;
  }
}

async function reseal(
  lease: Lease,
  state: GrantState,
  { present, actor }: { readonly present: Credential | undefined; readonly actor: Caller["actor"] },
  deps: RegenerateDeps,
): Promise<Renewed | null> {
  if (present !== undefined && !(await isPresent(present, state))) throw new Fault("credential_mismatch");
  const key = await keyOf(state, present, deps);
  const sealed = await readCurrentBlob(state, deps.stores.blobs, deps.log);
  const grant = await openGrant(sealed, key, bindingOf(state), deps.environment);
  return await writeGeneration(
    lease,
    state,
    { grant, storage: state.storage, keep: null, revive: false, actor },
    deps,
  );
}

async function keyOf(
  state: GrantState,
  present: Credential | undefined,
  deps: RegenerateDeps,
): Promise<GrantKey> {
  if (state.storage === "zero_knowledge") {
    if (present === undefined) throw new Fault("reauthorize_needed");
    return userHeldKey(await importKeyMaterial(present.key));
  }
  return await storedKey(state, deps);
}
