import { fromBase64Url, fromHex, toBase64Url, toHex } from "../lib/bytes.ts";
import { Fault } from "../lib/fault.ts";
import type { Random } from "../lib/random.ts";
import type { DataKeys, WrappedDataKey } from "../store/data-keys.ts";
import type { GrantState } from "../store/grant-row.ts";
import type { CredentialEnvironment } from "../vault/credential.ts";
import { createDataKey, unwrapDataKey, wrapDataKey } from "../vault/data-key.ts";
import type { KeyMaterial } from "../vault/derive.ts";
import { USER_HELD_KID, VaultError } from "../vault/envelope.ts";
import type { Keyring } from "../vault/keyring.ts";
import type { GrantBinding, GrantKey } from "./grant.ts";

/** User-held: the second half of the credential opens the grant, and nothing else does. */
export function userHeldKey(material: KeyMaterial): GrantKey {
  return { material, kid: USER_HELD_KID };
}

/** Managed: the workspace's data key, from the wrapping that the row's read brought along. */
export async function managedKey(
  wrapped: WrappedDataKey | null,
  owner: string,
  keyring: Keyring | undefined,
  environment: CredentialEnvironment,
): Promise<GrantKey> {
  const id = wrapped === null ? undefined : fromHex(wrapped.id);
  const envelope = wrapped === null ? undefined : fromBase64Url(wrapped.wrapped);
  // No wrapping under a loaded master key: a failure, never a reason to try another key.
  if (keyring === undefined || id === undefined || envelope === undefined)
    throw new VaultError("unknown_key");
  const dataKey = await unwrapDataKey(envelope, id, owner, keyring, environment);
  return { material: dataKey.material, kid: dataKey.id };
}

/** The data key that new managed grants of a workspace are sealed under, made on first need. */
export async function workspaceKey(
  workspaceId: string,
  keyring: Keyring | undefined,
  environment: CredentialEnvironment,
  dataKeys: DataKeys,
  random: Random,
): Promise<GrantKey & { readonly dataKeyId: string }> {
  if (keyring === undefined) throw new Fault("storage_not_configured");
  const key = await newestKey(workspaceId, keyring, environment, dataKeys, random);
  return { ...key, dataKeyId: toHex(key.kid) };
}

/** The owner's newest data key, made on first need. Two first needs at once agree on one. */
export async function newestKey(
  owner: string,
  keyring: Keyring,
  environment: CredentialEnvironment,
  dataKeys: DataKeys,
  random: Random,
): Promise<GrantKey> {
  let wrapped = await dataKeys.newest(owner, keyring.fingerprints);
  if (wrapped === null) {
    const fresh = await createDataKey(random);
    // Where master keys are replaced because somebody else may have one, only the new one is good enough.
    const rotation = await dataKeys.replacing(keyring.active.fingerprint);
    // Else all of them: a worker that has only some of them, as in a rotation, opens it too.
    const masterKeys = rotation > 0 ? [keyring.active] : [...keyring.byFingerprint.values()];
    const wrappings = await Promise.all(
      masterKeys.map(async (masterKey) => ({
        fingerprint: masterKey.fingerprint,
        wrapped: toBase64Url(await wrapDataKey(fresh, owner, masterKey, environment, random)),
      })),
    );
    await dataKeys.insertFirst(owner, toHex(fresh.id), wrappings, rotation);
    wrapped = await dataKeys.newest(owner, keyring.fingerprints);
  }
  return await managedKey(wrapped, owner, keyring, environment);
}

/** The managed key of a connection's present generation. */
export async function storedKey(
  state: Pick<GrantState, "data_key_id" | "workspace_id">,
  deps: {
    readonly keyring: Keyring | undefined;
    readonly environment: CredentialEnvironment;
    readonly stores: { readonly dataKeys: DataKeys };
  },
): Promise<GrantKey> {
  const { keyring, environment } = deps;
  if (state.data_key_id === null || keyring === undefined) throw new VaultError("unknown_key");
  const wrapped = await deps.stores.dataKeys.get(state.data_key_id, keyring.fingerprints);
  return await managedKey(wrapped, state.workspace_id, keyring, environment);
}

/** What the present generation of a connection is bound to, as its row says. */
export function bindingOf(state: GrantState): GrantBinding {
  const [lookup, verifier] = [fromBase64Url(state.lookup), fromBase64Url(state.verifier)];
  if (lookup === undefined || verifier === undefined) throw new VaultError("unsealable");
  return {
    connectionId: state.id,
    workspaceId: state.workspace_id,
    service: state.service,
    storage: state.storage,
    lookup,
    verifier,
    generation: state.gen,
  };
}
