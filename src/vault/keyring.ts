import { fromHex, toHex } from "../lib/bytes.ts";
import { importKeyMaterial, type KeyMaterial } from "./derive.ts";
import { sha256 } from "./primitives.ts";

const KEYS = "MANAGED_ENCRYPTION_KEYS";
const LEGACY = "MANAGED_ENCRYPTION_MASTER_KEY";
const KEY_BYTES = 32;
const FINGERPRINT_BYTES = 8;

/** A master key of the deployment. Its bytes are in a CryptoKey that cannot be exported: no print of it shows them. */
export interface MasterKey {
  /** 16 hexadecimal characters: the first 8 bytes of SHA-256 of the key. */
  readonly fingerprint: string;
  /** The same 8 bytes, as envelopes name the key. */
  readonly kid: Uint8Array<ArrayBuffer>;
  readonly material: KeyMaterial;
}

export interface Keyring {
  /** The key that wraps what is new: the last one listed. */
  readonly active: MasterKey;
  readonly byFingerprint: ReadonlyMap<string, MasterKey>;
  /** In the order of the configuration, the active one last. */
  readonly fingerprints: readonly string[];
}

/** A master key that must not start the process. The message names the variable and entry, never what it holds. */
export class KeyringError extends Error {
  override readonly name = "KeyringError";

  constructor(where: string, problem: string) {
    super(`${where}: ${problem}`);
  }
}

/**
 * The deployment's master keys, or undefined where none is configured (unset or empty: managed storage is off).
 * `keys` is MANAGED_ENCRYPTION_KEYS, a JSON array of {"key": "<64 hex characters>"}; `legacy` is
 * MANAGED_ENCRYPTION_MASTER_KEY, one such key by itself. While a deployment moves from one form to the other both may
 * be set, if the list has the single key too. Throws KeyringError.
 */
export async function parseKeyring(env: {
  readonly keys?: string | undefined;
  readonly legacy?: string | undefined;
}): Promise<Keyring | undefined> {
  const legacy = env.legacy ? await parseMasterKey(LEGACY, env.legacy) : undefined;
  if (!env.keys) return legacy && keyringOf(legacy, [legacy]);
  const keys = await parseList(env.keys);
  if (legacy && !keys.byFingerprint.has(legacy.fingerprint)) {
    throw new KeyringError(LEGACY, `holds a key that ${KEYS} does not list: add it there or remove it`);
  }
  return keys;
}

async function parseList(text: string): Promise<Keyring> {
  const entries = parseJson(text);
  if (!Array.isArray(entries))
    throw new KeyringError(KEYS, 'must be a JSON array of {"key": "<64 hex characters>"}');
  const keys: MasterKey[] = [];
  for (const [index, entry] of entries.entries()) {
    const where = `${KEYS}[${index}]`;
    const key = await parseMasterKey(where, keyProperty(where, entry));
    const twin = keys.findIndex((other) => other.fingerprint === key.fingerprint);
    if (twin >= 0) throw new KeyringError(where, `repeats the key of ${KEYS}[${twin}]`);
    keys.push(key);
  }
  const active = keys.at(-1);
  if (!active) throw new KeyringError(KEYS, "must list at least one key");
  return keyringOf(active, keys);
}

/** A parser's own message quotes its input, here a key: it is dropped. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new KeyringError(KEYS, "is not valid JSON");
  }
}

function keyProperty(where: string, entry: unknown): string {
  if (typeof entry !== "object" || entry === null || !("key" in entry) || typeof entry.key !== "string") {
    throw new KeyringError(where, 'must be an object {"key": "<64 hex characters>"}');
  }
  // Its name is not repeated: a key pasted in the wrong place would be in the message.
  if (Object.keys(entry).length !== 1) throw new KeyringError(where, 'must have no property but "key"');
  return entry.key;
}

async function parseMasterKey(where: string, text: string): Promise<MasterKey> {
  const bytes = fromHex(text);
  if (bytes?.length !== KEY_BYTES) {
    throw new KeyringError(where, `must be ${2 * KEY_BYTES} hexadecimal characters (${KEY_BYTES} bytes)`);
  }
  if (bytes.every((byte) => byte === 0)) throw new KeyringError(where, "is all zeros: generate a random key");
  const kid = (await sha256(bytes)).slice(0, FINGERPRINT_BYTES);
  return { fingerprint: toHex(kid), kid, material: await importKeyMaterial(bytes) };
}

function keyringOf(active: MasterKey, keys: readonly MasterKey[]): Keyring {
  return {
    active,
    byFingerprint: new Map(keys.map((key) => [key.fingerprint, key])),
    fingerprints: keys.map((key) => key.fingerprint),
  };
}
