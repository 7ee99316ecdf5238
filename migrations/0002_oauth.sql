-- Grants that are obtained by signing in: flows on their way, our registrations as a client, and what refresh,
-- revocation and step-up need to know of a connection.

ALTER TABLE connections ADD COLUMN issuer TEXT;
ALTER TABLE connections ADD COLUMN sent_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE connections ADD COLUMN refreshed_at INTEGER;
ALTER TABLE connections ADD COLUMN authorized_at INTEGER;
ALTER TABLE connections ADD COLUMN reauth_since INTEGER;
ALTER TABLE connections ADD COLUMN wanted_scope TEXT;
ALTER TABLE connections ADD COLUMN revocation TEXT
  CHECK (revocation IN ('not_applicable', 'revoked', 'failed', 'pending', 'awaiting_credential', 'skipped', 'unsupported'));
ALTER TABLE connections ADD COLUMN revocation_at INTEGER;

CREATE INDEX connections_by_issuer ON connections (workspace_id, issuer) WHERE issuer IS NOT NULL;

CREATE TABLE flows (
  state_hash   TEXT    PRIMARY KEY,
  user_id      TEXT    NOT NULL REFERENCES users (id),
  workspace_id TEXT    NOT NULL REFERENCES workspaces (id),
  data_key_id  TEXT    NOT NULL REFERENCES data_keys (id),
  sealed       TEXT    NOT NULL,
  return_to    TEXT    NOT NULL,
  created_at   INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL
) STRICT;

CREATE INDEX flows_by_expiry ON flows (expires_at);
-- For the foreign keys: a change to a parent looks for its children.
CREATE INDEX flows_by_workspace ON flows (workspace_id);
CREATE INDEX flows_by_user ON flows (user_id);
CREATE INDEX flows_by_data_key ON flows (data_key_id);

CREATE TABLE client_registrations (
  id           TEXT    PRIMARY KEY,
  issuer       TEXT    NOT NULL,
  redirect_uri TEXT    NOT NULL,
  client_id    TEXT    NOT NULL,
  method       TEXT    NOT NULL CHECK (method IN ('none', 'client_secret_basic', 'client_secret_post')),
  data_key_id  TEXT    NOT NULL REFERENCES data_keys (id),
  sealed       TEXT    NOT NULL,
  expires_at   INTEGER,
  created_at   INTEGER NOT NULL
) STRICT;

CREATE INDEX client_registrations_by_data_key ON client_registrations (data_key_id);
CREATE INDEX client_registrations_by_issuer ON client_registrations (issuer, redirect_uri, created_at DESC);

CREATE TABLE superseded_blobs (
  name         TEXT    PRIMARY KEY,
  delete_after INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX superseded_blobs_by_time ON superseded_blobs (delete_after);

CREATE INDEX connections_sent ON connections (lease_until) WHERE sent_at > 0;
