import { randomBytes } from "node:crypto";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from "jose";
import { z } from "zod";
import { readJson, writePrivateJson } from "./files.ts";

const secretsSchema = z.object({
  /** Signs the owner in; the worker gets the public half. */
  identity: z.object({
    kty: z.literal("OKP"),
    crv: z.literal("Ed25519"),
    x: z.string(),
    d: z.string(),
    kid: z.string(),
  }),
  managedKeys: z.array(z.object({ key: z.string().regex(/^[0-9a-fA-F]{64}$/) })).min(1),
});

/** What `npm start` generates once for a state folder. */
export type LocalSecrets = z.output<typeof secretsSchema>;

const fileOf = (folder: string) => join(folder, "secrets.json");

export async function readSecrets(folder: string): Promise<LocalSecrets | undefined> {
  return await readJson(fileOf(folder), secretsSchema);
}

/** The folder's secrets, made at the first call. Stored grants depend on them: only a rotation replaces master keys. */
export async function ensureSecrets(folder: string): Promise<LocalSecrets> {
  const existing = await readSecrets(folder);
  if (existing !== undefined) {
    await chmod(fileOf(folder), 0o600);
    return existing;
  }
  const { privateKey } = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  const jwk = await exportJWK(privateKey);
  const secrets = secretsSchema.parse({
    identity: { ...jwk, kid: await calculateJwkThumbprint(jwk) },
    managedKeys: [{ key: randomBytes(32).toString("hex") }],
  });
  await writePrivateJson(fileOf(folder), secrets);
  return secrets;
}

/** Keeps other master keys, the active one last, and everything else as it was. */
export async function writeManagedKeys(
  folder: string,
  managedKeys: LocalSecrets["managedKeys"],
): Promise<void> {
  const secrets = await ensureSecrets(folder);
  await writePrivateJson(fileOf(folder), secretsSchema.parse({ ...secrets, managedKeys }));
}

/** The half of the identity key that the worker verifies with, as the text of `LOCAL_IDENTITY_KEY`. */
export function publicIdentityKey(secrets: LocalSecrets): string {
  const { kty, crv, x, kid } = secrets.identity;
  return JSON.stringify({ kty, crv, x, kid });
}
