import type { Stores } from "../store/index.ts";

const workspaces = 50;
const events = 200;

/** Gives events of background work their place in the chain. */
export async function chainAudit(stores: Pick<Stores, "audit">): Promise<number> {
  let chained = 0;
  for (const id of await stores.audit.waiting(workspaces)) chained += await stores.audit.chain(id, events);
  return chained;
}
