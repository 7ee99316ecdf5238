import { importJWK, SignJWT } from "jose";
import { Problem } from "./command.ts";
import type { Instance } from "./instance.ts";
import { readSecrets } from "./secrets.ts";

const userName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** A bearer token of the local identity for the running instance; it ends after 12 hours. */
export async function signLocalToken(
  instance: Pick<Instance, "url"> & { readonly folder: string },
  user = "owner",
  email = `${user}@localhost`,
): Promise<string> {
  if (!userName.test(user)) {
    throw new Problem("A user name is made of letters, digits, dots, dashes and underscores (at most 63).");
  }
  const secrets = await readSecrets(instance.folder);
  if (secrets === undefined) throw new Problem(`There is no secrets.json in ${instance.folder}.`);
  const { kid } = secrets.identity;
  return await new SignJWT({ sid: crypto.randomUUID(), email })
    .setProtectedHeader({ alg: "EdDSA", kid })
    .setIssuer("urn:bindify:local")
    .setAudience(instance.url)
    .setSubject(user)
    .setIssuedAt()
    .setExpirationTime("12h")
    .sign(await importJWK(secrets.identity, "EdDSA"));
}

/** A link that signs in: the page moves the token out of the fragment at once, and no server ever sees it. */
export function signInLink(instance: Pick<Instance, "url">, token: string): string {
  return `${instance.url}/#sign_in=${token}`;
}
