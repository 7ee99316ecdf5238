-- All times are integers, milliseconds since the epoch. All bytes are base64url text, without padding.
-- README.md beside this file explains every table, column and KV key.

CREATE TABLE workspaces (
  id         TEXT PRIMARY KEY,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE users (
  id           TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL REFERENCES workspaces (id),
  issuer       TEXT NOT NULL,
  subject      TEXT NOT NULL,
  email        TEXT,
  created_at   INTEGER NOT NULL,
  UNIQUE (issuer, subject)
) STRICT;

CREATE INDEX users_by_workspace ON users (workspace_id);

CREATE TABLE data_keys (
  id         TEXT PRIMARY KEY,
  owner      TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX data_keys_by_owner ON data_keys (owner, created_at);

CREATE TABLE data_key_wrappings (
  data_key_id TEXT    NOT NULL REFERENCES data_keys (id) ON DELETE CASCADE,
  fingerprint TEXT    NOT NULL,
  wrapped     TEXT    NOT NULL,
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (data_key_id, fingerprint)
) STRICT, WITHOUT ROWID;

CREATE INDEX data_key_wrappings_by_fingerprint ON data_key_wrappings (fingerprint);

CREATE TABLE connections (
  id                TEXT    PRIMARY KEY,
  workspace_id      TEXT    NOT NULL REFERENCES workspaces (id),
  service           TEXT    NOT NULL,
  label             TEXT    NOT NULL,
  kind              TEXT    NOT NULL CHECK (kind IN ('key', 'oauth')),
  storage           TEXT    NOT NULL CHECK (storage IN ('zero_knowledge', 'managed')),
  upstream_url      TEXT    NOT NULL,
  status            TEXT    NOT NULL CHECK (status IN ('active', 'suspended', 'disconnected')),
  lookup            TEXT    NOT NULL UNIQUE,
  verifier          TEXT    NOT NULL,
  data_key_id       TEXT    REFERENCES data_keys (id),
  -- The grant: which sealed blob is current, and who may write the next (see the refresh protocol).
  gen               INTEGER NOT NULL DEFAULT 1,
  state             TEXT    NOT NULL DEFAULT 'live' CHECK (state IN ('live', 'leased', 'sent', 'reauth')),
  fence             INTEGER NOT NULL DEFAULT 0,
  lease_until       INTEGER NOT NULL DEFAULT 0,
  retry_at          INTEGER NOT NULL DEFAULT 0,
  access_expires_at INTEGER,
  refreshable       INTEGER NOT NULL DEFAULT 0,
  scope             TEXT,
  blob              TEXT,
  blob_fence        INTEGER NOT NULL DEFAULT 0,
  blob_copied_at    INTEGER,
  created_at        INTEGER NOT NULL,
  last_used_at      INTEGER,
  disconnected_at   INTEGER,
  CHECK (storage = 'managed' OR data_key_id IS NULL),
  CHECK ((status = 'disconnected') = (disconnected_at IS NOT NULL))
) STRICT;

CREATE INDEX connections_by_workspace ON connections (workspace_id, created_at DESC, id DESC);
CREATE INDEX connections_with_blob ON connections (blob_copied_at, id) WHERE blob IS NOT NULL;
CREATE INDEX connections_by_data_key ON connections (data_key_id) WHERE data_key_id IS NOT NULL;

CREATE TABLE log_events (
  id    INTEGER PRIMARY KEY,
  at    INTEGER NOT NULL,
  level TEXT    NOT NULL CHECK (level IN ('info', 'warn', 'error')),
  line  TEXT    NOT NULL
) STRICT;
