import type { AuditDetail } from "../lib/audit-event.ts";
import type { GrantState, NextGeneration } from "../store/grant-row.ts";

/**
 * What of a connection's settings is another than before. Of addresses only that they changed: a person's own server is
 * nobody's business, and its path may hold a secret.
 */
export function settingsChanged(before: GrantState, next: NextGeneration): readonly AuditDetail[] {
  const changes: AuditDetail[] = [];
  if (before.storage !== next.storage)
    changes.push({ setting: "storage", from: before.storage, to: next.storage });
  if (before.kind !== next.kind) changes.push({ setting: "kind", from: before.kind, to: next.kind });
  else if (before.issuer !== next.issuer) changes.push({ setting: "authorization_server" });
  if (before.upstream_url !== next.upstream_url) changes.push({ setting: "server_address" });
  return changes;
}
