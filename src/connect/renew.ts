import type { AuditActor } from "../lib/audit-event.ts";
import { equal, fromBase64Url, toBase64Url } from "../lib/bytes.ts";
import { Fault } from "../lib/fault.ts";
import { factsOf } from "../grants/facts.ts";
import { sealGrant, shownUrl, type Grant, type GrantKey } from "../grants/grant.ts";
import { userHeldKey, workspaceKey } from "../grants/grant-key.ts";
import { leaseLength } from "../grants/refresh-policy.ts";
import type { Connection, StorageMode } from "../store/connection.ts";
import type { Connections } from "../store/connections.ts";
import type { GrantState, Lease, NextGeneration } from "../store/grant-row.ts";
import type { GrantStates } from "../store/grant-state.ts";
import { mintCredential, type Credential } from "../vault/credential.ts";
import { deriveVerifier, importKeyMaterial, lookupOf } from "../vault/derive.ts";
import type { MintDeps, Owner } from "./mint.ts";
import { settingsChanged } from "./settings-changed.ts";

export interface RenewDeps extends MintDeps {
  readonly stores: MintDeps["stores"] & { readonly connections: Connections; readonly grants: GrantStates };
}

/** A changed connection. `credential` is null where the person keeps the one they have. */
export interface Renewed {
  readonly connection: Connection;
  readonly credential: Credential | null;
}

interface Change {
  readonly grant: Grant;
  readonly storage: StorageMode;
  /** Keep this one (it was checked), or mint another. */
  readonly keep: Credential | "managed" | null;
  /** Signed in again: also takes a disconnected connection back. */
  readonly revive: boolean;
  readonly actor: AuditActor;
}

/**
 * Writes the next generation of a connection under a lease: new lookup, verifier and blob in one update, so that at
 * each moment exactly one credential opens exactly one grant. Null when somebody else's change came first.
 */
export async function writeGeneration(
  lease: Lease,
  state: GrantState,
  change: Change,
  deps: RenewDeps,
): Promise<Renewed | null> {
  const credential = change.keep === null ? mintCredential(deps.random) : change.keep;
  const proof = await proofOf(credential, state);
  const managed = change.storage === "managed" ? await managedKeyFor(state, deps) : undefined;
  const key: GrantKey | undefined = managed ?? proof.key;
  // A user-held grant can only be sealed with the second half in hand.
  if (key === undefined) throw new Fault("reauthorize_needed");
  const generation = lease.gen + 1;
  const blob = await sealGrant(
    change.grant,
    key,
    {
      connectionId: state.id,
      workspaceId: state.workspace_id,
      service: state.service,
      storage: change.storage,
      lookup: proof.lookup,
      verifier: proof.verifier,
      generation,
    },
    deps.environment,
    deps.random,
  );
  const connection = await replaceOnce(
    lease,
    {
      blob,
      lookup: toBase64Url(proof.lookup),
      verifier: toBase64Url(proof.verifier),
      storage: change.storage,
      data_key_id: managed?.dataKeyId ?? null,
      kind: change.grant.kind,
      upstream_url: shownUrl(change.grant, state.service),
      issuer: change.grant.kind === "oauth" ? change.grant.source.issuer : null,
      facts: factsOf(change.grant, deps.random),
    },
    change,
    state,
    deps,
  );
  if (connection === null) return null;
  deps.defer(
    "copy_blob",
    deps.stores.blobs.put({ connectionId: state.id, generation, fence: lease.fence }, blob),
  );
  return { connection, credential: change.keep === null && credential !== "managed" ? credential : null };
}

/** A lost answer is no failure: the row says whether this generation is the one that was written. */
async function replaceOnce(
  lease: Lease,
  next: NextGeneration,
  { revive, actor }: Pick<Change, "revive" | "actor">,
  state: GrantState,
  deps: RenewDeps,
): Promise<Connection | null> {
  const { grants, connections } = deps.stores;
  const restored = state.status === "disconnected" ? "connection_restored" : "connection_reauthorized";
  const { id: connection, service, workspace_id: workspaceId } = state;
  const type = revive ? restored : "connection_regenerated";
  const entry = {
    type,
    actor,
    connection,
    service,
    detail: { kind: next.kind, storage: next.storage },
  } as const;
  try {
    const changes = settingsChanged(state, next).map(
      (detail) => ({ type: "configuration_changed", actor, connection, service, detail }) as const,
    );
    return await grants.replace(lease, next, revive, { workspaceId, entry, changes });
  } catch (error) {
    const seen = await grants.read(state.id);
    if (seen?.gen !== lease.gen + 1 || seen.blob_fence !== lease.fence) throw error;
    return await connections.get(state.workspace_id, state.id);
  }
}

/**
 * Gives a connection a new grant, from any state, also a disconnected one: id, label and history stay. With the
 * `present` credential the address and key stay too; in managed mode they stay without it.
 */
export async function renewConnection(
  owner: Owner,
  id: string,
  next: { readonly grant: Grant; readonly storage: StorageMode; readonly present: Credential | undefined },
  deps: RenewDeps,
): Promise<Renewed> {
  const owned = await deps.stores.connections.get(owner.workspace_id, id);
  const before = owned === null ? null : await deps.stores.grants.read(id);
  if (before === null) throw new Fault("unknown_connection");
  // Before the lease is taken over: a wrong credential must not cost a refresh that is on its way its tokens.
  if (next.present !== undefined && !(await isPresent(next.present, before)))
    throw new Fault("credential_mismatch");
  const { grants } = deps.stores;
  // Against whoever else is writing: what the person brings goes before a refresh that is on its way.
  const lease = await grants.takeOver(id, leaseLength);
  if (lease === null) throw new Fault("unknown_connection");
  try {
    const state = await grants.read(id);
    if (state === null) throw new Fault("unknown_connection");
    // A dead credential stays dead: what was disconnected comes back under a new one.
    const alive = state.status !== "disconnected";
    const managed = alive && next.storage === "managed" && state.storage === "managed" ? "managed" : null;
    const keep = alive ? (next.present ?? managed) : null;
    const change: Change = {
      grant: next.grant,
      storage: next.storage,
      keep,
      revive: true,
      actor: owner.actor,
    };
    const renewed = await writeGeneration(lease, state, change, deps);
    if (renewed === null) throw new Fault("storage_unavailable", { retryAfter: 1 });
    return renewed;
  } catch (error) {
    // What is stored stays in use, and nobody needs to wait for the lease to run out.
    await grants.handBack(lease);
    throw error;
  }
}

/** The connection that a person wants to give a new grant; undefined where they want another one. */
export async function connectionToRenew(
  workspaceId: string,
  id: string | undefined,
  { stores }: { readonly stores: { readonly connections: Pick<Connections, "get"> } },
): Promise<Connection | undefined> {
  if (id === undefined) return undefined;
  const connection = await stores.connections.get(workspaceId, id);
  if (connection === null) throw new Fault("unknown_connection");
  return connection;
}

/** Whether a credential is the connection's present one: both halves. */
export async function isPresent(credential: Credential, state: GrantState): Promise<boolean> {
  const proof = await proofOf(credential, state);
  const [lookup, verifier] = [fromBase64Url(state.lookup), fromBase64Url(state.verifier)];
  if (lookup === undefined || verifier === undefined) return false;
  return equal(proof.lookup, lookup) && equal(proof.verifier, verifier);
}

interface Proof {
  readonly lookup: Uint8Array<ArrayBuffer>;
  readonly verifier: Uint8Array<ArrayBuffer>;
  readonly key?: GrantKey;
}

async function proofOf(credential: Credential | "managed", state: GrantState): Promise<Proof> {
  if (credential === "managed") {
    const [lookup, verifier] = [fromBase64Url(state.lookup), fromBase64Url(state.verifier)];
    if (lookup === undefined || verifier === undefined) throw new Fault("grant_unreadable");
    return { lookup, verifier };
  }
  const material = await importKeyMaterial(credential.key);
  const [lookup, verifier] = await Promise.all([lookupOf(credential), deriveVerifier(material, state.id)]);
  return { lookup, verifier, key: userHeldKey(material) };
}

async function managedKeyFor(
  state: GrantState,
  deps: RenewDeps,
): Promise<GrantKey & { readonly dataKeyId: string }> {
  return await workspaceKey(
    state.workspace_id,
    deps.keyring,
    deps.environment,
    deps.stores.dataKeys,
    deps.random,
  );
}
