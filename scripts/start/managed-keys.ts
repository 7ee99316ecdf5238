import { Problem } from "../lib/command.ts";
import { parseKeysText } from "../lib/keys-text.ts";
import type { LocalWorker } from "../lib/local-worker.ts";
import { ensureSecrets, writeManagedKeys } from "../lib/secrets.ts";
import type { Cron } from "./cron.ts";
import type { Front } from "./front.ts";

interface Parts {
  readonly folder: string;
  readonly worker: LocalWorker;
  readonly front: Front;
  readonly cron: Cron;
  /** The worker's variables; MANAGED_ENCRYPTION_KEYS is the one that changes. */
  readonly variables: Readonly<Record<string, string>>;
}

/** What `wrangler secret put MANAGED_ENCRYPTION_KEYS` is to a deployment. */
export function createManagedKeys({ folder, worker, front, cron, variables }: Parts) {
  const replace = (keys: readonly { readonly key: string }[]) =>
    worker.replace({ ...variables, MANAGED_ENCRYPTION_KEYS: JSON.stringify(keys) });
  return {
    /** Keeps the keys, then replaces the worker while its callers wait. A worker that will not start is undone. */
    async put(text: string): Promise<void> {
      const keys = (await parseKeysText(text, "MANAGED_ENCRYPTION_KEYS")).keys.map((key) => ({ key }));
      const { managedKeys: before } = await ensureSecrets(folder);
      await cron.pausedFor(() =>
        front.swap(async () => {
          await writeManagedKeys(folder, keys);
          try {
            await replace(keys);
            await checkHealth(worker.port());
          } catch {
            await writeManagedKeys(folder, before);
            await replace(before);
            throw new Problem("The worker does not start with these keys; it runs with the ones before.");
          }
        }),
      );
    },
  };
}

async function checkHealth(port: number): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/healthz`);
  await response.body?.cancel();
  if (!response.ok) throw new Problem("The worker is not healthy.");
}
