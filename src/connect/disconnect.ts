import type { Defer } from "../lib/defer.ts";
import type { Catalogue } from "../services/index.ts";
import type { Service } from "../services/service.ts";
import type { Connection, RevocationState } from "../store/connection.ts";
import type { Connections } from "../store/connections.ts";
import type { Credential } from "../vault/credential.ts";
import type { Owner } from "./mint.ts";
import { isPresent } from "./renew.ts";
import { attemptRevocation, type RevocationDeps } from "../grants/revocation.ts";
import { wouldEndOthers } from "../grants/revoke.ts";

export interface DisconnectDeps extends RevocationDeps {
  readonly catalogue: Catalogue;
  readonly defer: Defer;
  readonly stores: RevocationDeps["stores"] & { readonly connections: Connections };
}

/** What became of the secret at the service itself. */
export interface Revocation {
  readonly outcome: RevocationState;
  readonly detail: string;
  /** The service's own page where the person can end what was granted. */
  readonly provider_url?: string;
}

/**
 * Disconnects: once this returns, no request is admitted, in any isolate and whatever is cached, because admission
 * reads the row's status from D1. Then the provider is asked to revoke, if anybody here can open the grant: in
 * managed mode, or with the `present` credential. `purge` keeps nothing for later. Repeating it is harmless.
 */
export async function disconnect(
  owner: Owner,
  id: string,
  { present, purge }: { readonly present: Credential | undefined; readonly purge: boolean },
  deps: DisconnectDeps,
): Promise<{ readonly connection: Connection; readonly revocation: Revocation } | null> {
  const { connections } = deps.stores;
  const { workspace_id: workspaceId, actor } = owner;
  const before = await connections.get(workspaceId, id);
  if (before === null) return null;
  const service = deps.catalogue.get(before.service);
  const plan = await planFor(before, service, present, purge, deps);
  const ended = await connections.disconnect(
    workspaceId,
    id,
    plan,
    plan === "pending" || plan === "awaiting_credential",
    { actor, service: before.service },
  );
  if (ended === null) return { connection: before, revocation: describeRevocation(before, service) };

  if (plan === "pending") {
    // What the deployment opens by itself it tries again by itself; else the next call with the old credential does.
    const later = before.storage === "managed" ? "pending" : "awaiting_credential";
    await attemptRevocation(id, present, purge ? "failed" : later, deps);
  } else if (plan !== "awaiting_credential") deps.defer("delete_blob", deleteBlob(ended, deps));
  const after = (await connections.get(workspaceId, id)) ?? ended;
  return { connection: after, revocation: describeRevocation(after, service) };
}

/** What will happen at the provider. */
async function planFor(
  connection: Connection,
  service: Service | undefined,
  present: Credential | undefined,
  purge: boolean,
  deps: DisconnectDeps,
): Promise<RevocationState> {
  if (connection.kind === "key") return "not_applicable";
  if (service?.oauth?.revocation.style === "none") return "unsupported";
  const { id: except, workspace_id: workspaceId, issuer } = connection;
  if (issuer !== null) {
    const owner = { workspaceId, issuer, except };
    if (await wouldEndOthers(owner, service, deps.stores.connections)) return "skipped";
  }
  if (connection.storage === "managed") return "pending";
  const state = present === undefined ? null : await deps.stores.grants.read(connection.id);
  if (state !== null && present !== undefined && (await isPresent(present, state))) return "pending";
  return purge ? "failed" : "awaiting_credential";
}

async function deleteBlob(connection: Connection, deps: DisconnectDeps): Promise<void> {
  const { id, gen, blob_fence: fence } = connection;
  await deps.stores.blobs.delete({ connectionId: id, generation: gen, fence });
}

const details: Readonly<Record<RevocationState, string>> = {
  not_applicable:
    "The stored key was deleted here and the connection no longer works. The key itself still exists at {service}: delete it there if nothing else uses it.",
  revoked: "The connection no longer works, and {service} has revoked its access.",
  failed:
    "The connection no longer works and its tokens were deleted here, but {service} could not be asked to revoke them. They end by themselves; you can end them now at {service}.",
  pending: "The connection no longer works. {service} is still being asked to revoke its access.",
  awaiting_credential:
    "The connection no longer works. {service} could not be asked yet to revoke its access: that happens when a client next uses the old address or key. Otherwise what is stored is deleted unopened after 30 days. You can end it now at {service}.",
  skipped:
    "The connection no longer works and its tokens were deleted here. {service} was not asked to revoke them, because that would end your other connection to it too.",
  unsupported:
    "The connection no longer works and its tokens were deleted here. {service} offers no way to revoke them from here; you can end them there.",
};

export function describeRevocation(connection: Connection, service: Service | undefined): Revocation {
  const outcome = connection.revocation ?? "not_applicable";
  const page =
    connection.kind === "key"
      ? service?.key_modes.find((mode) => mode.create_key_url !== undefined)?.create_key_url
      : service?.oauth?.revocation.manage_url;
  return {
    outcome,
    detail: details[outcome].replaceAll("{service}", service?.name ?? "the service"),
    ...(page === undefined ? {} : { provider_url: page }),
  };
}
