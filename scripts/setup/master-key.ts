import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { ensurePrivateFolder, readJson, stateDir, writePrivateJson } from "../lib/files.ts";
import type { Asking } from "./asking.ts";
import type { Commands } from "./commands.ts";
import { secretNames } from "./resources.ts";

const name = "MANAGED_ENCRYPTION_KEYS";
const keysSchema = z.array(z.object({ key: z.string().regex(/^[0-9a-f]{64}$/) })).min(1);

interface Deployment {
  /** Path of its configuration. */
  readonly config: string;
  readonly workerName: string;
}

/**
 * Sets the master key of managed storage, unless the deployment has one: what it sealed would be lost with it. The
 * copy is written before the key is used, because Cloudflare never shows a secret again and a rotation needs it.
 */
export async function ensureMasterKey(
  commands: Commands,
  asking: Asking,
  { config, workerName }: Deployment,
): Promise<void> {
  const names = await secretNames(commands, config);
  if (names?.includes(name) === true) {
    console.log(`  ${name} is set already, and stays as it is.`);
    return;
  }
  const args = ["secret", "put", name, "--config", config];
  const why =
    "The master key of managed storage and of sign-ins on their way, 32 random bytes made on this machine:";
  if (names === undefined) {
    await commands.change(why, args, { secret: "" });
    return;
  }
  const all = join(stateDir(), "deployment");
  const own = join(all, workerName);
  const file = join(own, "managed-encryption-keys.json");
  const keys = (await readJson(file, keysSchema)) ?? [{ key: randomBytes(32).toString("hex") }];
  if (await asking.yes(`Keep a copy of the master key in ${file}, readable by you alone?`)) {
    for (const folder of [stateDir(), all, own]) await ensurePrivateFolder(folder);
    await writePrivateJson(file, keys);
    console.log(
      `  Move ${file} to a safe place: Cloudflare never shows a secret again, and a rotation needs it.`,
    );
  }
  await commands.change(why, args, { secret: JSON.stringify(keys) });
}
