import { clientSnippets } from "../connect/snippets.ts";
import { customId } from "../services/service.ts";
import type { Connection } from "../store/connection.ts";
import { reminderAge } from "../store/reminders.ts";
import { formatApiKey, formatCredential, type Credential } from "../vault/credential.ts";
import { healthOf } from "./connection-health.ts";
import type { Runtime } from "./context.ts";

/** A connection as the API shows it: times in ISO 8601, and what the person would call its state. */
export function viewConnection(
  connection: Connection,
  { catalogue, clock }: Pick<Runtime, "catalogue" | "clock">,
) {
  return {
    id: connection.id,
    service: connection.service,
    service_name: catalogue.get(connection.service)?.name ?? connection.service,
    label: connection.label,
    kind: connection.kind,
    storage: connection.storage,
    status: connection.status,
    state: healthOf(connection, clock()),
    reminder: reminderOf(connection, clock()),
    upstream_url: connection.upstream_url,
    created_at: iso(connection.created_at),
    last_used_at: iso(connection.last_used_at),
    access_expires_at: iso(connection.access_expires_at),
    refreshable: connection.refreshable === 1,
    refreshed_at: iso(connection.refreshed_at),
    authorized_at: iso(connection.authorized_at),
    disconnected_at: iso(connection.disconnected_at),
    scope: connection.scope,
    /** What a call was refused for: signing in again asks for it. */
    wanted_scope: connection.wanted_scope,
    revocation: connection.revocation,
  };
}

function reminderOf(connection: Connection, now: number): "reauthorize" | "authorize_again_soon" | null {
  if (connection.status !== "active") return null;
  if (healthOf(connection, now) === "reauthorize") return "reauthorize";
  const { kind, authorized_at: at } = connection;
  return kind === "oauth" && at !== null && at <= now - reminderAge ? "authorize_again_soon" : null;
}

export function iso(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}

/** The credential in each form that clients take, with snippets. In one answer, once. */
function viewCredential(connection: Connection, credential: Credential, runtime: Runtime) {
  const mcpUrl = `${runtime.site.publicUrl}/mcp/${connection.service}`;
  const secretUrl = `${mcpUrl}/${formatCredential(credential)}`;
  const apiKey = formatApiKey(credential, runtime.environment);
  const name = connection.service === customId ? "mcp-server" : connection.service;
  return {
    credential: { secret_url: secretUrl, api_key: apiKey, mcp_url: mcpUrl },
    snippets: clientSnippets({ name, mcpUrl, secretUrl, apiKey }),
  };
}

/** The answer to whatever made or changed a connection: the credential only where it is a new one. */
function viewResult(
  result: { readonly connection: Connection; readonly credential: Credential | null },
  runtime: Runtime,
) {
  const connection = viewConnection(result.connection, runtime);
  if (result.credential === null) return { connection, credential: null, snippets: [] };
  return { connection, ...viewCredential(result.connection, result.credential, runtime) };
}

/** The same for a request that may be repeated. */
export function createdView(
  result: { readonly connection: Connection; readonly credential: Credential | null },
  runtime: Runtime,
) {
  return { body: viewResult(result, runtime), id: result.connection.id, secret: result.credential !== null };
}
