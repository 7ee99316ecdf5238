import { createAudit, type Audit } from "./audit.ts";
import { createAuditRead, type AuditRead } from "./audit-read.ts";
import { createBlobs, type Blobs } from "./blobs.ts";
import { createConnections, type Connections } from "./connections.ts";
import { createDataKeys, type DataKeys } from "./data-keys.ts";
import { createErasures, type Erasures } from "./erasure.ts";
import { createFlows, type Flows } from "./flows.ts";
import { createGrantStates, type GrantStates } from "./grant-state.ts";
import { createIdempotency, type Idempotency } from "./idempotency.ts";
import { createLogEvents, type LogEvents } from "./log-events.ts";
import { createRegistrations, type Registrations } from "./registrations.ts";
import { createTokens, type Tokens } from "./tokens.ts";
import { createUsage, type Usage } from "./usage.ts";
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
  readonly auditRead: AuditRead;
  readonly tokens: Tokens;
  readonly idempotency: Idempotency;
  readonly usage: Usage;
  readonly erasures: Erasures;
}

/** `auditDays`: how long audit events are kept where a workspace's plan does not say. */
export function createStores(db: D1Database, kv: KVNamespace, auditDays = 90): Stores {
  const audit = createAudit(db, auditDays);
  return {
    connections: createConnections(db, audit),
    grants: createGrantStates(db, audit),
    flows: createFlows(db),
    registrations: createRegistrations(db),
    users: createUsers(db, audit),
    blobs: createBlobs(kv),
    dataKeys: createDataKeys(db),
    logEvents: createLogEvents(db),
    audit,
    auditRead: createAuditRead(db),
    tokens: createTokens(db, audit),
    idempotency: createIdempotency(db),
    usage: createUsage(db),
    erasures: createErasures(db, audit),
  };
}
