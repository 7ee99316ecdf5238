import { day, type Clock } from "../lib/clock.ts";
import { Fault } from "../lib/fault.ts";
import { errorKind } from "../lib/log.ts";
import { attemptRevocation, type RevocationDeps } from "../grants/revocation.ts";
import type { Catalogue } from "../services/index.ts";
import type { Connection, ConnectionKind, RevocationState } from "../store/connection.ts";
import type { Erasure, Owned } from "../store/erasure.ts";
import type { Stores } from "../store/index.ts";
import type { Credential } from "../vault/credential.ts";
import { describeRevocation, type Revocation } from "./disconnect.ts";
import type { Owner } from "./mint.ts";

type PurgeDeps = { readonly stores: Pick<Stores, "blobs" | "erasures"> };

export interface EraseDeps extends RevocationDeps {
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly stores: RevocationDeps["stores"] & PurgeDeps["stores"];
  /** Connections that one run works on, at most; the platform counts the queries of each. */
  readonly backgroundBudget: number;
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
const accountsAtOnce = 5;
/** How long the identity provider is waited for before the rest is deleted without it, ms. */
const identityWait = 7 * day;

/**
 * Deletes what is left of a disconnected connection: rows now, and its KV names now and once more later. What somebody
 * here can open is revoked before, also where it was disconnected earlier. Answers what came of that.
 */
export async function purgeConnection(
  owner: Owner,
  id: string,
  present: Credential | undefined,
  deps: RevocationDeps & PurgeDeps & { readonly catalogue: Catalogue },
): Promise<{ readonly connection: Connection; readonly revocation: Revocation }> {
  const { erasures, connections } = deps.stores;
  const { workspace_id: workspaceId, actor } = owner;
  const begun = await erasures.beginPurge(workspaceId, id);
  if (begun === null) throw new Fault("connection_in_use");
  await revokeLeft(begun, present, deps);
  const connection = (await connections.get(workspaceId, id)) ?? begun;
  // The row first: nobody can commit another blob after it, and the id is kept until its KV names are gone.
  await erasures.purgeConnection(workspaceId, id, { actor, service: connection.service });
  await deleteKeys(id, deps);
  return { connection, revocation: describeRevocation(connection, deps.catalogue.get(connection.service)) };
}

/** The last that is done for a grant: what is not revoked here stays so, and is said to. */
async function revokeLeft(
  { id, revocation }: Connection,
  present: Credential | undefined,
  deps: RevocationDeps,
): Promise<void> {
  const { revocations } = deps.stores;
  if (revocation === "awaiting_credential") {
    await revocations.set(id, "awaiting_credential", present === undefined ? "failed" : "pending", null);
  }
  if (revocation === "pending" || (revocation === "awaiting_credential" && present !== undefined)) {
    await attemptRevocation(id, present, "failed", deps);
  }
}

/** What the person has to end elsewhere, by service. To be asked once the account is closed. */
export async function leftAtServices(
  workspaceId: string,
  which: "ended" | "pending",
  deps: Pick<EraseDeps, "stores" | "catalogue">,
): Promise<readonly LeftAtService[]> {
  const groups = await deps.stores.erasures.grants(workspaceId);
  return groups
    .filter(({ revocation }) => (revocation === "pending") === (which === "pending"))
    .map((group) => describe(group.service, group, group.revocation, deps.catalogue));
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
    deps.log({
      event: "erasure_failed",
      error: errorKind(error),
      ...(error instanceof Fault ? { fault: error.code } : {}),
    });
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
  const { workspace_id: workspaceId, person } = erasure;
  let room = deps.backgroundBudget;
  for (;;) {
    const owned = await erasures.connections(workspaceId, page);
    if (owned.length === 0) break;
    for (const connection of owned) {
      if (deps.clock() > until) return false;
      if (room === 0) {
        await erasures.again(person);
        return false;
      }
      room -= 1;
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
    // A person's wish does not wait for a provider for ever; its operator has to look, and soon.
    const waited = await erasures.identityWaits(person);
    const givenUp = waited >= identityWait;
    if (waited === 0 || givenUp) deps.log({ event: "identity_not_deleted", given_up: givenUp });
    if (!givenUp) return false;
  }
  await erasures.finish(erasure);
  return true;
}

/** Answers what became of a grant that was to be revoked and was not. */
async function eraseConnection(
  workspaceId: string,
  { id, revocation: before, kind, storage }: Owned,
  deps: EraseDeps,
): Promise<RevocationState | null> {
  let outcome: RevocationState | null = null;
  let revocation = before;
  if (revocation === null) {
    await deps.stores.erasures.close(workspaceId);
    if (kind === "oauth") revocation = storage === "managed" ? "pending" : "awaiting_credential";
    if (revocation === "awaiting_credential") outcome = revocation;
  }
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
  // One after the other, and few: each may use up what an invocation has.
  const due = await deps.stores.erasures.take(Math.min(accountsAtOnce, deps.backgroundBudget));
  const share = { ...deps, backgroundBudget: Math.ceil(deps.backgroundBudget / Math.max(1, due.length)) };
  for (const erasure of due) await eraseAccount(erasure, until - deps.clock(), share);
  return due.length;
}

/** Deletes the KV names of erased connections once more, when no writer of them can be left. */
export async function sweepErased(deps: PurgeDeps & Pick<EraseDeps, "backgroundBudget">): Promise<number> {
  const ids = await deps.stores.erasures.toSweep(Math.min(page, deps.backgroundBudget));
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
  if (revocation === "pending")
    return `${name} is still being asked to revoke the access. Look there whether it ended.`;
  if (revocation === "unsupported") return `${name} offers no way to revoke access from here: end it there.`;
  if (revocation === "awaiting_credential")
    return `Only your credential opens this grant, so ${name} could not be asked to revoke it: end it there.`;
  return `${name} could not be asked to revoke the access. What was stored is deleted; end it there.`;
}
