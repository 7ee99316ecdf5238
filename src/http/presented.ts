import { Fault } from "../lib/fault.ts";
import {
  parseApiKey,
  parseCredential,
  type Credential,
  type CredentialEnvironment,
} from "../vault/credential.ts";

/** A credential that its holder shows, in any form that people have it: secret URL, API key, or bare. */
export function readPresented(
  text: string | undefined,
  field: string,
  { environment }: { readonly environment: CredentialEnvironment },
): Credential | undefined {
  if (text === undefined) return undefined;
  const trimmed = text.trim();
  const bare = trimmed.slice(trimmed.lastIndexOf("/") + 1);
  const credential = parseApiKey(trimmed, environment) ?? parseCredential(bare);
  if (credential !== undefined) return credential;
  const message = "This is neither a secret URL nor an API key of this deployment.";
  throw new Fault("invalid_request", { errors: [{ path: field, message }] });
}
