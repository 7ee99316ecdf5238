/** What the audit log records. Names only: whatever may hold a secret or a person's text has no place in it. */
export type AuditType =
  | "login"
  | "connection_created"
  | "connection_reauthorized"
  | "connection_restored"
  | "connection_regenerated"
  | "connection_renamed"
  | "connection_disconnected"
  | "connection_suspended"
  | "connection_resumed"
  | "connection_purged"
  | "key_validation_failed"
  | "refresh_succeeded"
  | "refresh_failed"
  | "liveness_failed"
  | "provider_revocation"
  | "token_created"
  | "token_revoked"
  | "plan_changed"
  | "master_key_rotated"
  | "data_key_replaced"
  | "configuration_changed"
  | "anomaly";

/** Who did it: the signed-in person, a program with an API token (its id), or the service by itself. */
export type AuditActor = "owner" | "system" | `tok_${string}`;

export type AuditDetail = Readonly<Record<string, string | number | boolean | null>>;

export interface AuditEntry {
  readonly type: AuditType;
  readonly actor: AuditActor;
  readonly connection?: string | null;
  readonly service?: string | null;
  readonly detail?: AuditDetail;
}
