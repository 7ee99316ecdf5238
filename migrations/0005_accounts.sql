-- Accounts: sign-ins seen, tokens for programs, counts of use, repeats of requests, and erasure.

-- Since when the service did not answer, cleared by its next answer.
ALTER TABLE connections ADD COLUMN unreachable_since INTEGER;

CREATE INDEX audit_events_by_time ON audit_events (workspace_id, at);

CREATE TABLE logins (
  user_id TEXT    NOT NULL REFERENCES users (id),
  session TEXT    NOT NULL,
  at      INTEGER NOT NULL,
  PRIMARY KEY (user_id, session)
) STRICT, WITHOUT ROWID;

CREATE INDEX logins_by_time ON logins (at);

CREATE TABLE tokens (
  id           TEXT    PRIMARY KEY,
  user_id      TEXT    NOT NULL REFERENCES users (id),
  name         TEXT    NOT NULL,
  scope        TEXT    NOT NULL CHECK (scope IN ('read', 'manage')),
  prefix       TEXT    NOT NULL,
  hash         TEXT    NOT NULL UNIQUE,
  created_at   INTEGER NOT NULL,
  last_used_at INTEGER,
  expires_at   INTEGER
) STRICT;

CREATE INDEX tokens_by_user ON tokens (user_id, created_at DESC, id);

CREATE TABLE usage_days (
  connection_id TEXT    NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
  day           INTEGER NOT NULL,
  requests      INTEGER NOT NULL DEFAULT 0,
  errors        INTEGER NOT NULL DEFAULT 0,
  refreshes     INTEGER NOT NULL DEFAULT 0,
  bytes         INTEGER NOT NULL DEFAULT 0,
  duration_ms   INTEGER NOT NULL DEFAULT 0,
  -- What the owner was told is unusual about the day, comma-joined.
  told          TEXT    NOT NULL DEFAULT '',
  PRIMARY KEY (connection_id, day)
) STRICT, WITHOUT ROWID;

CREATE INDEX usage_days_by_day ON usage_days (day);

-- In the transaction of the renewal itself, and wherever a renewal is committed.
CREATE TRIGGER renewals_are_counted AFTER UPDATE OF refreshed_at ON connections
WHEN NEW.refreshed_at IS NOT OLD.refreshed_at
BEGIN
  INSERT INTO usage_days (connection_id, day, refreshes) VALUES (NEW.id, NEW.refreshed_at / 86400000, 1)
  ON CONFLICT (connection_id, day) DO UPDATE SET refreshes = refreshes + 1;
END;

CREATE TABLE idempotency_keys (
  user_id      TEXT    NOT NULL REFERENCES users (id),
  key_hash     TEXT    NOT NULL,
  request_hash TEXT    NOT NULL,
  created_at   INTEGER NOT NULL,
  finished_at  INTEGER,
  created_id   TEXT,
  status       INTEGER,
  answer       TEXT,
  PRIMARY KEY (user_id, key_hash)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_keys_by_time ON idempotency_keys (created_at);

-- Leave to send the operator one message each. Used ones are kept for a day, to count them.
CREATE TABLE support_nonces (
  nonce_hash TEXT    PRIMARY KEY,
  user_id    TEXT    NOT NULL REFERENCES users (id),
  expires_at INTEGER NOT NULL,
  used_at    INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX support_nonces_by_user ON support_nonces (user_id, used_at, expires_at);
CREATE INDEX support_nonces_by_time ON support_nonces (expires_at);

CREATE TABLE erasures (
  person       TEXT    PRIMARY KEY,
  workspace_id TEXT,
  started_at   INTEGER NOT NULL,
  next_at      INTEGER,
  tries        INTEGER NOT NULL DEFAULT 0,
  -- Since when the identity provider has not deleted the person.
  identity_since INTEGER,
  finished_at  INTEGER
) STRICT, WITHOUT ROWID;

-- Sign-ins of the person from before: their tokens are renewed in open tabs, and must not make the account again.
CREATE TABLE erased_sessions (
  person  TEXT NOT NULL REFERENCES erasures (person) ON DELETE CASCADE,
  session TEXT NOT NULL,
  PRIMARY KEY (person, session)
) STRICT, WITHOUT ROWID;

CREATE INDEX erasures_due ON erasures (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX erasures_finished ON erasures (finished_at) WHERE finished_at IS NOT NULL;

-- Random ids that name nobody any more: their KV names are deleted once more when all writers are gone.
CREATE TABLE erased_connections (
  id       TEXT    PRIMARY KEY,
  sweep_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX erased_connections_by_time ON erased_connections (sweep_at);
