import {
  deriveSealingKey,
  importKeyMaterial,
  type Purpose,
  type SealingKey,
} from "../../src/vault/derive.ts";
import { VaultError } from "../../src/vault/envelope.ts";
import { connection, key } from "./vectors.ts";

/** The sealing key of the vectors' connection, or one that differs in what is given. */
export async function sealingKey(
  bytes = key,
  purpose: Purpose = "grant",
  salt = connection,
): Promise<SealingKey> {
  return deriveSealingKey(await importKeyMaterial(bytes), salt, purpose);
}

/** What a failed `open` says; fails where it does not fail. */
export async function refusal(attempt: Promise<unknown>): Promise<VaultError> {
  const result = await attempt.then(
    () => "it opened",
    (error: unknown) => error,
  );
  if (result instanceof VaultError) return result;
  throw new Error(`expected a VaultError, got: ${String(result)}`);
}

export const unsealable = {
  code: "unsealable",
  message: "the sealed data does not open with this key in this place",
};
export const unknownFormat = {
  code: "unknown_format",
  message: "the sealed data has an unknown version or algorithm",
};
