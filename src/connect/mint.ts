import type { AuditActor } from "../lib/audit-event.ts";
import { toBase64Url, toHex } from "../lib/bytes.ts";
import type { Defer } from "../lib/defer.ts";
import type { Random } from "../lib/random.ts";
import { factsOf } from "../grants/facts.ts";
import { sealGrant, shownUrl, type Grant, type GrantKey } from "../grants/grant.ts";
import { userHeldKey, workspaceKey } from "../grants/grant-key.ts";
import type { Connection, ConnectionKind, StorageMode } from "../store/connection.ts";
import type { Stores } from "../store/index.ts";
import { mintCredential, type Credential, type CredentialEnvironment } from "../vault/credential.ts";
import { deriveVerifier, importKeyMaterial, lookupOf } from "../vault/derive.ts";
import type { Keyring } from "../vault/keyring.ts";

/** Whether the plan has a place for another connection: `billing/room`. */
export interface Room {
  require(workspaceId: string, renewing: string | null): Promise<void>;
  settle(workspaceId: string): Promise<void>;
}

export interface MintDeps {
  readonly stores: Pick<Stores, "connections" | "blobs" | "dataKeys">;
  readonly keyring: Keyring | undefined;
  readonly environment: CredentialEnvironment;
  readonly random: Random;
  readonly defer: Defer;
}

/** Whose connection it is, and who acts for them: the person, or a program with an API token. */
export interface Owner {
  readonly workspace_id: string;
  readonly actor: AuditActor;
}

interface NewConnection {
  readonly owner: Owner;
  readonly service: string;
  readonly label: string;
  readonly kind: ConnectionKind;
  readonly storage: StorageMode;
  readonly grant: Grant;
}

/** A stored connection and its credential: the only time that the credential exists outside its holder's hands. */
export interface Minted {
  readonly connection: Connection;
  readonly credential: Credential;
}

/** Mints a credential, seals the grant under it and stores both ends: one durable step, so nothing is half-written. */
export async function mintConnection(wanted: NewConnection, deps: MintDeps): Promise<Minted> {
  const id = newId("con", deps.random);
  const credential = mintCredential(deps.random);
  const material = await importKeyMaterial(credential.key);
  const [lookup, verifier] = await Promise.all([lookupOf(credential), deriveVerifier(material, id)]);
  const key = await keyFor(wanted, deps, userHeldKey(material));
  const binding = {
    connectionId: id,
    workspaceId: wanted.owner.workspace_id,
    service: wanted.service,
    storage: wanted.storage,
    lookup,
    verifier,
    generation: 1,
  };
  const blob = await sealGrant(wanted.grant, key, binding, deps.environment, deps.random);
  const row = {
    id,
    workspace_id: wanted.owner.workspace_id,
    service: wanted.service,
    label: wanted.label,
    kind: wanted.kind,
    storage: wanted.storage,
    upstream_url: shownUrl(wanted.grant, wanted.service),
    lookup: toBase64Url(lookup),
    verifier: toBase64Url(verifier),
    data_key_id: "dataKeyId" in key ? key.dataKeyId : null,
    blob,
    issuer: wanted.grant.kind === "oauth" ? wanted.grant.source.issuer : null,
    facts: factsOf(wanted.grant, deps.random),
  };
  const connection = await deps.stores.connections.insert(row, wanted.owner.actor);
  // The row carries the blob for the first minutes, so this copy may be late and is written again by the minute job.
  deps.defer("copy_blob", deps.stores.blobs.put({ connectionId: id, generation: 1, fence: 0 }, blob));
  return { connection, credential };
}

async function keyFor(
  wanted: NewConnection,
  deps: MintDeps,
  userHeld: GrantKey,
): Promise<GrantKey | (GrantKey & { readonly dataKeyId: string })> {
  if (wanted.storage === "zero_knowledge") return userHeld;
  return await workspaceKey(
    wanted.owner.workspace_id,
    deps.keyring,
    deps.environment,
    deps.stores.dataKeys,
    deps.random,
  );
}

/** `<prefix>_<32 hex>`: 128 random bits, so ids tell nothing of order or number. */
export function newId(prefix: string, random: Random): string {
  return `${prefix}_${toHex(random(16))}`;
}
