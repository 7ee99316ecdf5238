import type { Defer } from "../lib/defer.ts";
import type { Catalogue } from "../services/index.ts";
import type { Connection } from "../store/connections.ts";
import type { Stores } from "../store/index.ts";

export interface DisconnectDeps {
  readonly stores: Pick<Stores, "connections" | "blobs">;
  readonly catalogue: Catalogue;
  readonly defer: Defer;
}

/** What became of the secret at the service itself. */
export interface Revocation {
  readonly outcome: "not_applicable";
  readonly detail: string;
  /** The service's own page where the person can end what was granted. */
  readonly provider_url?: string;
}

/**
 * Disconnects: once this returns, no request is admitted, in any isolate and whatever is cached, because admission
 * reads the row's status from D1. The sealed key is deleted with it. Repeating it is harmless.
 */
export async function disconnect(
  workspaceId: string,
  id: string,
  deps: DisconnectDeps,
): Promise<{ readonly connection: Connection; readonly revocation: Revocation } | null> {
  const { connections, blobs } = deps.stores;
  const ended = await connections.disconnect(workspaceId, id);
  const connection = ended ?? (await connections.get(workspaceId, id));
  if (connection === null) return null;
  if (ended !== null) {
    const name = { connectionId: id, generation: ended.gen, fence: ended.blob_fence };
    deps.defer("delete_blob", blobs.delete(name));
  }
  return { connection, revocation: revocationOf(connection, deps.catalogue) };
}

/** A key that a person made is theirs to delete: no service lets a holder of the key do it. */
function revocationOf(connection: Connection, catalogue: Catalogue): Revocation {
  const service = catalogue.get(connection.service);
  const page = service?.key_modes.find((mode) => mode.create_key_url !== undefined)?.create_key_url;
  return {
    outcome: "not_applicable",
    detail:
      "The stored key was deleted here and the connection no longer works. The key itself still exists at " +
      `${service?.name ?? "the service"}: delete it there if nothing else uses it.`,
    ...(page === undefined ? {} : { provider_url: page }),
  };
}
