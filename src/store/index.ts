import { createAudit, type Audit } from "./audit.ts";
import { createBillingEvents, type BillingEvents } from "./billing-events.ts";
import { createBlobs, type Blobs } from "./blobs.ts";
import { createConnections, type Connections } from "./connections.ts";
import { createDataKeys, type DataKeys } from "./data-keys.ts";
import { createFlows, type Flows } from "./flows.ts";
import { createGrantStates, type GrantStates } from "./grant-state.ts";
import { createLogEvents, type LogEvents } from "./log-events.ts";
import { createRegistrations, type Registrations } from "./registrations.ts";
import { createSubscriptions, type BillingMail, type Subscriptions } from "./subscriptions.ts";
import { createUsers, type Users } from "./users.ts";

export interface Stores {
  readonly connections: Connections;
  readonly grants: GrantStates;
  readonly flows: Flows;
  readonly registrations: Registrations;
  readonly users: Users;
  readonly blobs: Blobs;
  readonly dataKeys: DataKeys;
  readonly logEvents: LogEvents;
  readonly audit: Audit;
  readonly subscriptions: Subscriptions;
  readonly billingEvents: BillingEvents;
}

/** `auditDays`: how long audit events are kept where a workspace's plan does not say. */
export function createStores(
  db: D1Database,
  kv: KVNamespace,
  auditDays = 90,
  mail: (mail: BillingMail, changed: boolean) => D1PreparedStatement | null = () => null,
): Stores {
  const audit = createAudit(db, auditDays);
  return {
    connections: createConnections(db),
    grants: createGrantStates(db),
    flows: createFlows(db),
    registrations: createRegistrations(db),
    users: createUsers(db),
    blobs: createBlobs(kv),
    dataKeys: createDataKeys(db),
    logEvents: createLogEvents(db),
    audit,
    subscriptions: createSubscriptions(db, {
      audit: (workspaceId, entry, changed) => audit.queued(workspaceId, entry, changed),
      mail,
    }),
    billingEvents: createBillingEvents(db),
  };
}
