import { parseCredential } from "../vault/credential.ts";

/** A run of the alphabet that is as long as a credential, with an API key's prefix and checksum or without. */
const lookalikes =
  /(?<![A-Za-z0-9_-])(?:bnd_(?:live|test)_)?([A-Za-z0-9_-]{86})(?:[A-Za-z0-9_-]{6})?(?![A-Za-z0-9_-])/g;

/** Whether a credential stands in a text, in either form: for places that none may reach. */
export function holdsCredential(text: string): boolean {
  return [...text.matchAll(lookalikes)].some(([, found = ""]) => parseCredential(found) !== undefined);
}
