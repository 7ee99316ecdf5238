import { toBase64Url, utf8 } from "../lib/bytes.ts";
import type { Random } from "../lib/random.ts";
import type { CredentialEnvironment } from "../vault/credential.ts";

/** How much of a token is kept readable, to tell one from another: 36 of its 256 bits. */
const shown = 6;

/** `bnt_<env>_<43 base64url>`: 256 random bits. `prefix` is what may be shown of it later. */
export function mintApiToken(
  random: Random,
  environment: CredentialEnvironment,
): { readonly text: string; readonly prefix: string } {
  const start = `bnt_${environment}_`;
  const text = start + toBase64Url(random(32));
  return { text, prefix: text.slice(0, start.length + shown) };
}

/** Whether a bearer token is one of ours; a token of another environment is one, and nobody's. */
export function isApiToken(text: string): boolean {
  return text.startsWith("bnt_");
}

/** SHA-256, or undefined for what cannot be a token of this environment: that costs no look-up. */
export async function hashApiToken(
  text: string,
  environment: CredentialEnvironment,
): Promise<string | undefined> {
  if (!new RegExp(`^bnt_${environment}_[A-Za-z0-9_-]{43}$`).test(text)) return undefined;
  return await sha256(`bindify/token/v1${text}`);
}

/** Names a person without saying who it is: SHA-256 of issuer and subject. */
export async function hashPerson(identity: {
  readonly issuer: string;
  readonly subject: string;
}): Promise<string> {
  return await sha256(JSON.stringify(["bindify/person/v1", identity.issuer, identity.subject]));
}

async function sha256(text: string): Promise<string> {
  return toBase64Url(new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(text))));
}
