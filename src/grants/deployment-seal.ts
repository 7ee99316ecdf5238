import { fromBase64Url, fromUtf8, toBase64Url, toHex, utf8 } from "../lib/bytes.ts";
import { Fault } from "../lib/fault.ts";
import type { Random } from "../lib/random.ts";
import type { DataKeys } from "../store/data-keys.ts";
import type { CredentialEnvironment } from "../vault/credential.ts";
import { DEPLOYMENT, openForDeployment, sealForDeployment } from "../vault/data-key.ts";
import { VaultError } from "../vault/envelope.ts";
import type { Keyring } from "../vault/keyring.ts";
import type { GrantKey } from "./grant.ts";
import { managedKey, newestKey } from "./grant-key.ts";

export interface DeploymentSealDeps {
  readonly stores: { readonly dataKeys: DataKeys };
  readonly keyring: Keyring | undefined;
  readonly environment: CredentialEnvironment;
  readonly random: Random;
}

type Purpose = "client-secret" | "pkce-verifier";

/** Seals what the deployment itself must keep for a while, under its own data key. */
export async function sealOwn(
  recordId: string,
  purpose: Purpose,
  text: string,
  deps: DeploymentSealDeps,
): Promise<{ readonly sealed: string; readonly dataKeyId: string }> {
  const { keyring, environment, random } = deps;
  if (keyring === undefined) throw new Fault("sign_in_not_configured");
  const key = await newestKey(DEPLOYMENT, keyring, environment, deps.stores.dataKeys, random);
  return { sealed: await sealOwnUnder(key, recordId, purpose, text, deps), dataKeyId: toHex(key.kid) };
}

/** The same under one data key of the deployment. */
export async function sealOwnUnder(
  key: GrantKey,
  recordId: string,
  purpose: Purpose,
  text: string,
  { environment, random }: Pick<DeploymentSealDeps, "environment" | "random">,
): Promise<string> {
  const envelope = await sealForDeployment({
    dataKey: { id: key.kid, material: key.material },
    environment,
    recordId,
    purpose,
    plaintext: utf8(text),
    random,
  });
  return toBase64Url(envelope);
}

/** Opens what `sealOwn` sealed for this record, or throws VaultError. */
export async function openOwn(
  recordId: string,
  purpose: Purpose,
  row: { readonly sealed: string; readonly data_key_id: string },
  deps: DeploymentSealDeps,
): Promise<string> {
  const { keyring, environment } = deps;
  if (keyring === undefined) throw new Fault("sign_in_not_configured");
  const wrapped = await deps.stores.dataKeys.get(row.data_key_id, keyring.fingerprints);
  return await openOwnUnder(
    await managedKey(wrapped, DEPLOYMENT, keyring, environment),
    recordId,
    purpose,
    row.sealed,
    environment,
  );
}

/** The same where the data key is at hand. */
export async function openOwnUnder(
  key: GrantKey,
  recordId: string,
  purpose: Purpose,
  sealed: string,
  environment: CredentialEnvironment,
): Promise<string> {
  const envelope = fromBase64Url(sealed);
  if (envelope === undefined) throw new VaultError("unsealable");
  const dataKey = { id: key.kid, material: key.material };
  return fromUtf8(await openForDeployment({ dataKey, environment, recordId, purpose, envelope }));
}
