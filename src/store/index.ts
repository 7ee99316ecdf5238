import { createAnomalies, type Anomalies } from "./anomalies.ts";
import { createAudit, type Audit } from "./audit.ts";
import { createAuditPrune, type AuditPrune } from "./audit-prune.ts";
import { createAuditRead, type AuditRead } from "./audit-read.ts";
import { createBillingEvents, type BillingEvents } from "./billing-events.ts";
import { createBlockList, type BlockList } from "./block-list.ts";
import { createBlobs, type Blobs } from "./blobs.ts";
import { createConnections, type Connections } from "./connections.ts";
import { createDataKeys, type DataKeys } from "./data-keys.ts";
import { createDue, type Due } from "./due.ts";
import { createErasures, type Erasures } from "./erasure.ts";
import { createFlows, type Flows } from "./flows.ts";
import { createGrantStates, type GrantStates } from "./grant-state.ts";
import { createIdempotency, type Idempotency } from "./idempotency.ts";
import { createLoadedKeys, type LoadedKeys } from "./loaded-keys.ts";
import { createLogEvents, type LogEvents } from "./log-events.ts";
import { createMails, type Mails } from "./mail.ts";
import { createPurge, type Purge } from "./purge.ts";
import { createRegistrations, type Registrations } from "./registrations.ts";
import { createReminders, type Reminders } from "./reminders.ts";
import { createReplacedKeys, type ReplacedKeys } from "./replaced-keys.ts";
import { createResealing, type Resealing } from "./resealing.ts";
import { createRevocations, type Revocations } from "./revocations.ts";
import { createRotations, type Rotations } from "./rotations.ts";
import { createSubscriptions, type Subscriptions } from "./subscriptions.ts";
import { createSupportNonces, type SupportNonces } from "./support-nonces.ts";
import { createTokens, type Tokens } from "./tokens.ts";
import { createUsage, type Usage } from "./usage.ts";
import { createUsers, type Users } from "./users.ts";

export interface Stores {
  readonly connections: Connections;
  readonly grants: GrantStates;
  readonly due: Due;
  readonly revocations: Revocations;
  readonly flows: Flows;
  readonly registrations: Registrations;
  readonly users: Users;
  readonly blobs: Blobs;
  readonly blocks: BlockList;
  readonly dataKeys: DataKeys;
  readonly loadedKeys: LoadedKeys;
  readonly rotations: Rotations;
  readonly replacedKeys: ReplacedKeys;
  readonly resealing: Resealing;
  readonly logEvents: LogEvents;
  readonly audit: Audit;
  readonly auditRead: AuditRead;
  readonly auditPrune: AuditPrune;
  readonly mail: Mails;
  readonly reminders: Reminders;
  readonly purge: Purge;
  readonly tokens: Tokens;
  readonly idempotency: Idempotency;
  readonly supportNonces: SupportNonces;
  readonly usage: Usage;
  readonly anomalies: Anomalies;
  readonly erasures: Erasures;
  readonly subscriptions: Subscriptions;
  readonly billingEvents: BillingEvents;
}

/**
 * `auditDays`: how long audit events are kept where a workspace's plan does not say. `mail`: whether mail is configured;
 * without it none is queued.
 */
export function createStores(db: D1Database, kv: KVNamespace, auditDays = 90, mail = true): Stores {
  const audit = createAudit(db, auditDays);
  const mails = createMails(db, mail);
  return {
    connections: createConnections(db, audit),
    grants: createGrantStates(db, audit),
    due: createDue(db),
    revocations: createRevocations(db),
    flows: createFlows(db),
    registrations: createRegistrations(db),
    users: createUsers(db, audit),
    blobs: createBlobs(kv),
    blocks: createBlockList(kv),
    dataKeys: createDataKeys(db),
    loadedKeys: createLoadedKeys(db),
    rotations: createRotations(db, audit),
    replacedKeys: createReplacedKeys(db, audit),
    resealing: createResealing(db),
    logEvents: createLogEvents(db),
    audit,
    auditRead: createAuditRead(db),
    auditPrune: createAuditPrune(db),
    mail: mails,
    reminders: createReminders(db),
    purge: createPurge(db, audit),
    tokens: createTokens(db, audit),
    idempotency: createIdempotency(db),
    supportNonces: createSupportNonces(db),
    usage: createUsage(db),
    anomalies: createAnomalies(db, mail),
    erasures: createErasures(db, audit),
    subscriptions: createSubscriptions(db, {
      audit: (workspaceId, entry, changed) => audit.queued(workspaceId, entry, changed),
      mail: (about, changed) => mails.queued(about, changed),
    }),
    billingEvents: createBillingEvents(db),
  };
}
