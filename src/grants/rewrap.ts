import { fromBase64Url, fromHex, toBase64Url } from "../lib/bytes.ts";
import type { Random } from "../lib/random.ts";
import type { WrappedDataKey } from "../store/data-keys.ts";
import type { Unwrapped } from "../store/rotations.ts";
import type { CredentialEnvironment } from "../vault/credential.ts";
import { rewrapDataKey } from "../vault/data-key.ts";
import { VaultError } from "../vault/envelope.ts";
import type { Keyring, MasterKey } from "../vault/keyring.ts";

export interface KeyDeps {
  readonly keyring: Keyring;
  readonly environment: CredentialEnvironment;
  readonly random: Random;
}

/**
 * The same data keys wrapped for `target`. One that its wrapping does not give back is left out, so that it keeps no
 * other one waiting.
 */
export async function rewrapAll(
  keys: readonly Unwrapped[],
  target: MasterKey,
  deps: KeyDeps,
): Promise<readonly WrappedDataKey[]> {
  const rewrapped: WrappedDataKey[] = [];
  for (const key of keys) {
    const [dataKeyId, wrapped] = [fromHex(key.id), fromBase64Url(key.wrapped)];
    if (dataKeyId === undefined || wrapped === undefined) continue;
    const again = await readable(rewrapDataKey({ ...deps, wrapped, dataKeyId, owner: key.owner, target }));
    if (again !== undefined) rewrapped.push({ id: key.id, wrapped: toBase64Url(again) });
  }
  return rewrapped;
}

/** Undefined where what is sealed does not open: that is how it is, and not a failure of the work at hand. */
export async function readable<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof VaultError) return undefined;
    throw error;
  }
}
