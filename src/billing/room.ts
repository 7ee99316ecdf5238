import { Fault } from "../lib/fault.ts";
import type { Connections } from "../store/connections.ts";
import type { PlanDeps } from "./billing.ts";
import { entitlementFor, settle } from "./settle.ts";

/** Whether a workspace may have another connection. */
export interface Room {
  /** Ends in `connection_limit` where there is none. `renewing`: a connection that counts already needs none. */
  require(workspaceId: string, renewing: string | null): Promise<void>;
  /** After one was made: of two that were made at once for one place, the newer is suspended. */
  settle(workspaceId: string): Promise<void>;
}

export function createRoom(
  deps: PlanDeps & { readonly stores: PlanDeps["stores"] & { readonly connections: Connections } },
): Room {
  const { billing, stores } = deps;
  if (billing === undefined) return { require: async () => {}, settle: async () => {} };
  return {
    async require(workspaceId, renewing) {
      const row = await stores.subscriptions.read(workspaceId);
      if (row === null) return;
      const { allowed } = entitlementFor(row, row.facts, billing);
      if (row.active + row.suspended < allowed) return;
      const renewed = renewing === null ? null : await stores.connections.get(workspaceId, renewing);
      if (renewed !== null && renewed.status !== "disconnected") return;
      throw new Fault("connection_limit", { params: { limit: String(allowed), page: billing.page } });
    },
    settle: async (workspaceId) => await settle(workspaceId, deps),
  };
}
