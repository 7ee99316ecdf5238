import type { Clock } from "../lib/clock.ts";
import { errorKind } from "../lib/log.ts";
import { attemptRevocation, revokeOnPresentation, type RevocationDeps } from "../grants/revocation.ts";
import type { Catalogue } from "../services/index.ts";
import type { Connection, ConnectionKind, RevocationState } from "../store/connection.ts";
import type { Erasure, Owned } from "../store/erasure.ts";
import type { Stores } from "../store/index.ts";
import type { Credential } from "../vault/credential.ts";
import type { Owner } from "./mint.ts";

type PurgeDeps = { readonly stores: Pick<Stores, "blobs" | "erasures"> };

export interface EraseDeps extends RevocationDeps {
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly stores: RevocationDeps["stores"] & PurgeDeps["stores"];
  /** Ends what is paid for, and forgets the customer. Throws where that has to be tried again. */
  readonly endBilling: (workspaceId: string) => Promise<void>;
  /** Deletes the person at the identity provider; false: to be tried again. */
  readonly deleteIdentity: (identity: {
    readonly issuer: string;
    readonly subject: string;
  }) => Promise<boolean>;
}

/** A grant that goes on living at its service: only its holder, or the service's own page, can end it. */
export interface LeftAtService {
  readonly service: string;
  readonly service_name: string;
  readonly kind: ConnectionKind;
  readonly connections: number;
  readonly reason: string;
  readonly provider_url: string | null;
}

const page = 20;
const eventsAtOnce = 5000;
/** Runs that wait for the identity provider before the rest is deleted without it. */
const identityTries = 30;

/** Deletes what is left of a disconnected connection: rows now, and its KV names now and once more later. */
export async function purgeConnection(
  owner: Owner,
  connection: Pick<Connection, "id" | "service">,
  deps: PurgeDeps,
): Promise<void> {
  const { id, service } = connection;
  // The row first: nobody can commit another blob after it, and the id is kept until its KV names are gone.
  await deps.stores.erasures.purgeConnection(owner.workspace_id, id, { actor: owner.actor, service });
  await deleteKeys(id, deps);
}

/** Also takes what was disconnected before and waits for its credential. */
export async function revokeLeft(
  connection: Connection,
  present: Credential | undefined,
  deps: RevocationDeps,
): Promise<void> {
  if (present === undefined || connection.revocation !== "awaiting_credential") return;
  await revokeOnPresentation(connection.id, present, deps);
}

/** What the person has to end elsewhere, by service. To be asked once the account is closed. */
export async function leftAtServices(
  workspaceId: string,
  deps: Pick<EraseDeps, "stores" | "catalogue">,
): Promise<readonly LeftAtService[]> {
  const groups = await deps.stores.erasures.grants(workspaceId);
  return groups.flatMap((group) =>
    group.revocation === "pending" ? [] : [describe(group.service, group, group.revocation, deps.catalogue)],
  );
}

/**
 * Deletes everything of a closed account, for `budget` ms. It can be killed at any point and called again: what is
 * gone is gone, and the account's own rows go last.
 */
export async function eraseAccount(
  erasure: Erasure,
  budget: number,
  deps: EraseDeps,
): Promise<{ readonly status: "erased" | "erasing"; readonly left: readonly LeftAtService[] }> {
  const left: LeftAtService[] = [];
  try {
    const done = await eraseWithin(erasure, deps.clock() + budget, left, deps);
    if (done) deps.log({ event: "account_erased" });
    return { status: done ? "erased" : "erasing", left };
  } catch (error) {
    deps.log({ event: "erasure_failed", error: errorKind(error) });
    return { status: "erasing", left };
  }
}

async function eraseWithin(
  erasure: Erasure,
  until: number,
  left: LeftAtService[],
  deps: EraseDeps,
): Promise<boolean> {
  const { erasures } = deps.stores;
  const { workspace_id: workspaceId } = erasure;
  for (;;) {
    const owned = await erasures.connections(workspaceId, page);
    if (owned.length === 0) break;
    for (const connection of owned) {
      if (deps.clock() > until) return false;
      const outcome = await eraseConnection(workspaceId, connection, deps);
      if (outcome !== null)
        left.push(describe(connection.service, { ...connection, connections: 1 }, outcome, deps.catalogue));
    }
  }
  while ((await erasures.deleteEvents(workspaceId, eventsAtOnce)) === eventsAtOnce) {
    if (deps.clock() > until) return false;
  }
  await deps.endBilling(workspaceId);
  const identity = await erasures.identityOf(workspaceId);
  if (identity !== null && !(await deps.deleteIdentity(identity))) {
    if (erasure.tries < identityTries) return false;
    // A person's wish does not wait for a provider for ever; its operator has to look.
    deps.log({ event: "identity_not_deleted" });
  }
  await erasures.finish(erasure);
  return true;
}

/** Answers what became of a grant that was to be revoked and was not. */
async function eraseConnection(
  workspaceId: string,
  { id, revocation }: Owned,
  deps: EraseDeps,
): Promise<RevocationState | null> {
  let outcome: RevocationState | null = null;
  if (revocation === "pending") {
    await attemptRevocation(id, undefined, "failed", deps);
    const after = await deps.stores.connections.get(workspaceId, id);
    if (after?.revocation !== "revoked") outcome = after?.revocation ?? "failed";
  }
  await deps.stores.erasures.deleteConnection(workspaceId, id);
  await deleteKeys(id, deps);
  return outcome;
}

async function deleteKeys(id: string, { stores }: PurgeDeps): Promise<void> {
  for (const key of await stores.blobs.keysOf(id)) await stores.blobs.deleteKey(key);
}

/** Continues the deletions that are due; the minute job's. Answers how many it looked at. */
export async function continueErasures(budget: number, deps: EraseDeps): Promise<number> {
  const until = deps.clock() + budget;
  const due = await deps.stores.erasures.take(5);
  for (const erasure of due) await eraseAccount(erasure, until - deps.clock(), deps);
  return due.length;
}

/** Deletes the KV names of erased connections once more, when no writer of them can be left. */
export async function sweepErased(deps: PurgeDeps): Promise<number> {
  const ids = await deps.stores.erasures.toSweep(page);
  for (const id of ids) {
    await deleteKeys(id, deps);
    await deps.stores.erasures.swept(id);
  }
  return ids.length;
}

function describe(
  id: string,
  { kind, connections }: { readonly kind: ConnectionKind; readonly connections: number },
  revocation: RevocationState | null,
  catalogue: Catalogue,
): LeftAtService {
  const service = catalogue.get(id);
  const name = service?.name ?? id;
  const url =
    kind === "key"
      ? service?.key_modes.find((mode) => mode.create_key_url !== undefined)?.create_key_url
      : service?.oauth?.revocation.manage_url;
  return {
    service: id,
    service_name: name,
    kind,
    connections,
    reason: reasonOf(kind, revocation, name),
    provider_url: url ?? null,
  };
}

function reasonOf(kind: ConnectionKind, revocation: RevocationState | null, name: string): string {
  if (kind === "key")
    return `The stored key was deleted here. The key itself still exists at ${name}: delete it there.`;
  if (revocation === "unsupported") return `${name} offers no way to revoke access from here: end it there.`;
  if (revocation === "awaiting_credential")
    return `Only your credential opens this grant, so ${name} could not be asked to revoke it: end it there.`;
  return `${name} could not be asked to revoke the access. What was stored is deleted; end it there.`;
}
