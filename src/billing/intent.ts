import type { SyncDeps } from "./settle.ts";
import { isFinal } from "./client.ts";

/**
 * Asks Stripe for what changes something, with the version that belongs into the key of the intent. Stripe keeps a
 * refusal as it keeps a success, for a day: whoever was refused and asks again, with another card, asks anew.
 */
export async function withIntent<T>(
  workspaceId: string,
  deps: SyncDeps,
  ask: (version: number) => Promise<T>,
): Promise<T> {
  const { subscriptions } = deps.stores;
  const version = (await subscriptions.read(workspaceId))?.version ?? 0;
  try {
    return await ask(version);
  } catch (error) {
    if (isFinal(error)) await subscriptions.nextIntent(workspaceId, version);
    throw error;
  }
}
