import { createAudit, type Audit } from "./audit.ts";
import { createBlockList, type BlockList } from "./block-list.ts";
import { createBlobs, type Blobs } from "./blobs.ts";
import { createConnections, type Connections } from "./connections.ts";
import { createDataKeys, type DataKeys } from "./data-keys.ts";
import { createFlows, type Flows } from "./flows.ts";
import { createGrantStates, type GrantStates } from "./grant-state.ts";
import { createLogEvents, type LogEvents } from "./log-events.ts";
import { createRegistrations, type Registrations } from "./registrations.ts";
import { createUsers, type Users } from "./users.ts";

export interface Stores {
  readonly connections: Connections;
  readonly grants: GrantStates;
  readonly flows: Flows;
  readonly registrations: Registrations;
  readonly users: Users;
  readonly blobs: Blobs;
  readonly blocks: BlockList;
  readonly dataKeys: DataKeys;
  readonly logEvents: LogEvents;
  readonly audit: Audit;
}

/** `auditDays`: how long audit events are kept where a workspace's plan does not say. */
export function createStores(db: D1Database, kv: KVNamespace, auditDays = 90): Stores {
  return {
    connections: createConnections(db),
    grants: createGrantStates(db),
    flows: createFlows(db),
    registrations: createRegistrations(db),
    users: createUsers(db),
    blobs: createBlobs(kv),
    blocks: createBlockList(kv),
    dataKeys: createDataKeys(db),
    logEvents: createLogEvents(db),
    audit: createAudit(db, auditDays),
  };
}
