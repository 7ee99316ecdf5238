import { z } from "zod";
import { KeyringError, parseKeyring } from "../../src/vault/keyring.ts";
import { Problem } from "./command.ts";

const listSchema = z.array(z.object({ key: z.string() }));

/** A list of master keys, the active one last. `keys` are secrets; `fingerprints` name them in the same order. */
export interface KeysText {
  readonly keys: readonly string[];
  readonly fingerprints: readonly string[];
}

/**
 * Reads the text of MANAGED_ENCRYPTION_KEYS by the worker's own rules. `what` names its source in the sentence of the
 * `Problem` that is thrown; the sentence names the entry at fault and never what it holds.
 */
export async function parseKeysText(text: string, what: string): Promise<KeysText> {
  try {
    const keyring = await parseKeyring({ keys: text.trim() || "[]" });
    const keys = listSchema.parse(JSON.parse(text)).map(({ key }) => key);
    return { keys, fingerprints: keyring?.fingerprints ?? [] };
  } catch (error) {
    // A keyring error holds no byte of a key; a parser's own message quotes its input.
    const reason = error instanceof KeyringError ? error.message : "it cannot be read";
    throw new Problem(`${what}: ${reason}.`);
  }
}

/** The text of MANAGED_ENCRYPTION_KEYS. */
export function keysText(keys: readonly string[]): string {
  return JSON.stringify(keys.map((key) => ({ key })));
}
