import { concat, equal, utf8 } from "../lib/bytes.ts";
import type { Random } from "../lib/random.ts";
import type { CredentialEnvironment } from "./credential.ts";
import type { Purpose, SealingKey } from "./derive.ts";
import { VaultError } from "./error.ts";
import { aesGcmDecrypt, aesGcmEncrypt } from "./primitives.ts";

export { VaultError } from "./error.ts";

/*
 * envelope:         version[1] = 1 ‖ algorithm[1] = 1 ‖ kid[8] ‖ nonce[12] ‖ ciphertext ‖ tag[16]
 * algorithm 1:      AES-256-GCM (NIST SP 800-38D)
 * header:           version ‖ algorithm ‖ kid
 * additional data:  for each field, its length in bytes as 4 bytes big-endian ‖ the field; the fields are
 *                   header ‖ environment ‖ connection id ‖ workspace id ‖ service id ‖ storage ‖ lookup ‖ verifier ‖
 *                   purpose ‖ generation in decimal. Text is UTF-8.
 */
const VERSION = 1;
const AES_256_GCM = 1;
const KID_START = 2;
const KID_BYTES = 8;
const HEADER_BYTES = KID_START + KID_BYTES;
const NONCE_BYTES = 12;
const CIPHERTEXT_START = HEADER_BYTES + NONCE_BYTES;
const TAG_BYTES = 16;
const LENGTH_BYTES = 4;

/** The key id of what only the holder of a credential can open. */
export const USER_HELD_KID: Uint8Array<ArrayBuffer> = new Uint8Array(KID_BYTES);

/**
 * Where an envelope belongs: all of it is known before opening, none of it is stored inside. An envelope opens only
 * with exactly the context that it was sealed with, so a row that was copied, edited or rolled back opens nothing.
 */
export interface EnvelopeContext {
  readonly environment: CredentialEnvironment;
  readonly connectionId: string;
  readonly workspaceId: string;
  readonly serviceId: string;
  readonly storage: "zero_knowledge" | "managed" | "deployment";
  /** 32 bytes for a connection, empty for the deployment's own records. */
  readonly lookup: Uint8Array;
  /** 32 bytes for a connection, empty for the deployment's own records. */
  readonly verifier: Uint8Array;
  readonly purpose: Purpose;
  /** A whole number from 0; each re-seal of a grant has the next. */
  readonly generation: number;
}

/**
 * Seals `plaintext` into a new envelope. `kid` (8 bytes) says which key: USER_HELD_KID, a data key's id or a master
 * key's fingerprint. The nonce is 12 bytes from `random`, and one key may seal at most 2^32 times (NIST SP 800-38D §8.3):
 * a sealing key belongs to one connection, which stays far below. Throws RangeError for a kid or generation out of range.
 */
export async function seal(args: {
  readonly key: SealingKey;
  readonly kid: Uint8Array;
  readonly context: EnvelopeContext;
  readonly plaintext: Uint8Array;
  readonly random: Random;
}): Promise<Uint8Array<ArrayBuffer>> {
  const { key, kid, context, plaintext, random } = args;
  if (kid.length !== KID_BYTES) throw new RangeError(`a key id has ${KID_BYTES} bytes`);
  if (!Number.isSafeInteger(context.generation) || context.generation < 0) {
    throw new RangeError("a generation is a whole number from 0");
  }
  const header = concat(Uint8Array.of(VERSION, AES_256_GCM), kid);
  const nonce = random(NONCE_BYTES);
  const sealed = await aesGcmEncrypt(key.aesGcm, nonce, additionalData(header, context), plaintext);
  return concat(header, nonce, sealed);
}

/**
 * Opens an envelope that was sealed under `kid` in `context`. Throws VaultError: `unknown_format` for a version or
 * algorithm that this code does not know, `unsealable` for every other mismatch.
 */
export async function open(args: {
  readonly key: SealingKey;
  readonly kid: Uint8Array;
  readonly context: EnvelopeContext;
  readonly envelope: Uint8Array;
}): Promise<Uint8Array<ArrayBuffer>> {
  const { key, kid, context, envelope } = args;
  if (!equal(readHeader(envelope).kid, kid)) throw new VaultError("unsealable");
  const bound = additionalData(envelope.subarray(0, HEADER_BYTES), context);
  const nonce = envelope.subarray(HEADER_BYTES, CIPHERTEXT_START);
  try {
    return await aesGcmDecrypt(key.aesGcm, nonce, bound, envelope.subarray(CIPHERTEXT_START));
  } catch {
    throw new VaultError("unsealable");
  }
}

/**
 * The 8-byte key id that an envelope names, a view and not yet authenticated. Throws VaultError: `unknown_format`, or
 * `unsealable` where the envelope is shorter than its fixed parts.
 */
export function readHeader(envelope: Uint8Array): { readonly kid: Uint8Array } {
  if (envelope[0] !== VERSION || envelope[1] !== AES_256_GCM) throw new VaultError("unknown_format");
  if (envelope.length < CIPHERTEXT_START + TAG_BYTES) throw new VaultError("unsealable");
  return { kid: envelope.subarray(KID_START, HEADER_BYTES) };
}

function additionalData(header: Uint8Array, context: EnvelopeContext): Uint8Array<ArrayBuffer> {
  const fields = [
    header,
    utf8(context.environment),
    utf8(context.connectionId),
    utf8(context.workspaceId),
    utf8(context.serviceId),
    utf8(context.storage),
    context.lookup,
    context.verifier,
    utf8(context.purpose),
    utf8(String(context.generation)),
  ];
  // Without the lengths, ("ab", "c") and ("a", "bc") would be one context.
  const bound = new Uint8Array(fields.reduce((sum, field) => sum + LENGTH_BYTES + field.length, 0));
  const lengths = new DataView(bound.buffer);
  let at = 0;
  for (const field of fields) {
    lengths.setUint32(at, field.length);
    bound.set(field, at + LENGTH_BYTES);
    at += LENGTH_BYTES + field.length;
  }
  return bound;
}
