import { toHex } from "../lib/bytes.ts";
import type { Random } from "../lib/random.ts";
import type { CredentialEnvironment } from "./credential.ts";
import { deriveSealingKey, importKeyMaterial, type KeyMaterial, type Purpose } from "./derive.ts";
import { type EnvelopeContext, open, readHeader, seal, VaultError } from "./envelope.ts";
import type { Keyring, MasterKey } from "./keyring.ts";

const ID_BYTES = 8;
const KEY_BYTES = 32;
const NOTHING = new Uint8Array(0);

/** The owner of the data key that seals what the deployment itself must keep. */
export const DEPLOYMENT = "deployment";

/** A key of one workspace (or of the deployment): `id` is the 8-byte kid of the envelopes sealed under it. */
export interface DataKey {
  readonly id: Uint8Array<ArrayBuffer>;
  readonly material: KeyMaterial;
}

let bytesOf: (dataKey: NewDataKey) => Uint8Array<ArrayBuffer>;

/** A data key that was just made: the only one that can still be wrapped. Its bytes do not leave this module. */
export class NewDataKey implements DataKey {
  readonly id: Uint8Array<ArrayBuffer>;
  readonly material: KeyMaterial;
  readonly #bytes: Uint8Array<ArrayBuffer>;

  static {
    bytesOf = (dataKey) => dataKey.#bytes;
  }

  constructor(id: Uint8Array<ArrayBuffer>, material: KeyMaterial, bytes: Uint8Array<ArrayBuffer>) {
    this.id = id;
    this.material = material;
    this.#bytes = bytes;
  }
}

/** A random data key: 8 bytes of id, then 32 of key, from `random`. Wrap it for every loaded master key, then drop it. */
export async function createDataKey(random: Random): Promise<NewDataKey> {
  const id = random(ID_BYTES);
  const bytes = random(KEY_BYTES);
  return new NewDataKey(id, await importKeyMaterial(bytes), bytes);
}

/**
 * The data key sealed under a master key: an envelope of 70 bytes whose kid is the master key's fingerprint. `owner` is
 * the workspace's id, or DEPLOYMENT. The sealing key is derived per data key: salt = the data key's id in hexadecimal.
 */
export function wrapDataKey(
  dataKey: NewDataKey,
  owner: string,
  masterKey: MasterKey,
  environment: CredentialEnvironment,
  random: Random,
): Promise<Uint8Array<ArrayBuffer>> {
  return wrapBytes(bytesOf(dataKey), dataKey.id, owner, masterKey, environment, random);
}

/**
 * Opens a wrapped data key with the master key that it names. Throws VaultError: `unknown_key` where that one is not
 * loaded (no other is tried), `unknown_format`, or `unsealable` where the id, owner or environment is not the one sealed.
 */
export async function unwrapDataKey(
  wrapped: Uint8Array,
  dataKeyId: Uint8Array<ArrayBuffer>,
  owner: string,
  keyring: Keyring,
  environment: CredentialEnvironment,
): Promise<DataKey> {
  const bytes = await unwrapBytes(wrapped, dataKeyId, owner, keyring, environment);
  return { id: dataKeyId, material: await importKeyMaterial(bytes) };
}

/** The same data key wrapped for another master key, `target`. Throws as unwrapDataKey. */
export async function rewrapDataKey(args: {
  readonly wrapped: Uint8Array;
  readonly dataKeyId: Uint8Array;
  readonly owner: string;
  readonly keyring: Keyring;
  readonly target: MasterKey;
  readonly environment: CredentialEnvironment;
  readonly random: Random;
}): Promise<Uint8Array<ArrayBuffer>> {
  const { wrapped, dataKeyId, owner, keyring, target, environment, random } = args;
  const bytes = await unwrapBytes(wrapped, dataKeyId, owner, keyring, environment);
  return wrapBytes(bytes, dataKeyId, owner, target, environment, random);
}

/** What names one sealed record of the deployment's own: `recordId` is unique among those of its purpose. */
interface DeploymentRecord {
  readonly dataKey: DataKey;
  readonly environment: CredentialEnvironment;
  readonly recordId: string;
  readonly purpose: Exclude<Purpose, "grant" | "legacy-endpoint" | "data-key">;
}

/** Seals a secret of the deployment's own under its data key, bound to the record that it is stored in. */
export async function sealForDeployment(
  args: DeploymentRecord & { readonly plaintext: Uint8Array; readonly random: Random },
): Promise<Uint8Array<ArrayBuffer>> {
  const { dataKey, environment, recordId, purpose, plaintext, random } = args;
  const key = await deriveSealingKey(dataKey.material, recordId, purpose);
  const context = deploymentContext(environment, DEPLOYMENT, recordId, purpose);
  return seal({ key, kid: dataKey.id, context, plaintext, random });
}

/** Opens what sealForDeployment sealed for the same record and purpose. Throws VaultError as `open`. */
export async function openForDeployment(
  args: DeploymentRecord & { readonly envelope: Uint8Array },
): Promise<Uint8Array<ArrayBuffer>> {
  const { dataKey, environment, recordId, purpose, envelope } = args;
  const key = await deriveSealingKey(dataKey.material, recordId, purpose);
  const context = deploymentContext(environment, DEPLOYMENT, recordId, purpose);
  return open({ key, kid: dataKey.id, context, envelope });
}

async function wrapBytes(
  plaintext: Uint8Array,
  dataKeyId: Uint8Array,
  owner: string,
  masterKey: MasterKey,
  environment: CredentialEnvironment,
  random: Random,
): Promise<Uint8Array<ArrayBuffer>> {
  const recordId = toHex(dataKeyId);
  const key = await deriveSealingKey(masterKey.material, recordId, "data-key");
  const context = deploymentContext(environment, owner, recordId, "data-key");
  return seal({ key, kid: masterKey.kid, context, plaintext, random });
}

async function unwrapBytes(
  envelope: Uint8Array,
  dataKeyId: Uint8Array,
  owner: string,
  keyring: Keyring,
  environment: CredentialEnvironment,
): Promise<Uint8Array<ArrayBuffer>> {
  const masterKey = keyring.byFingerprint.get(toHex(readHeader(envelope).kid));
  if (!masterKey) throw new VaultError("unknown_key");
  const recordId = toHex(dataKeyId);
  const key = await deriveSealingKey(masterKey.material, recordId, "data-key");
  const context = deploymentContext(environment, owner, recordId, "data-key");
  return open({ key, kid: masterKey.kid, context, envelope });
}

/** No connection is behind these: the record takes its place, and there is no lookup, verifier, service or generation. */
function deploymentContext(
  environment: CredentialEnvironment,
  workspaceId: string,
  recordId: string,
  purpose: Purpose,
): EnvelopeContext {
  return {
    environment,
    connectionId: recordId,
    workspaceId,
    serviceId: "",
    storage: "deployment",
    lookup: NOTHING,
    verifier: NOTHING,
    purpose,
    generation: 0,
  };
}
