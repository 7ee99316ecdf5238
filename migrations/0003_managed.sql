-- Managed mode without its owner: what is due, which master keys are loaded, rotations, and mail.

-- When the background does something for a managed connection: renew its token, or see whether its key still works.
-- Null where there is nothing to do.
ALTER TABLE connections ADD COLUMN due_at INTEGER;
-- Since when the service refuses the stored secret although nothing says that it ended, and when it last took it.
ALTER TABLE connections ADD COLUMN refused_since INTEGER;
ALTER TABLE connections ADD COLUMN checked_at INTEGER;

CREATE INDEX connections_due ON connections (due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX connections_reauth ON connections (reauth_since, id) WHERE reauth_since IS NOT NULL;
CREATE INDEX connections_authorized ON connections (authorized_at, id) WHERE status = 'active';
CREATE INDEX connections_disconnected ON connections (disconnected_at, id) WHERE disconnected_at IS NOT NULL;
CREATE INDEX connections_by_revocation ON connections (revocation_at, id) WHERE revocation = 'pending';

-- Sets of master keys that deployments say they have loaded. An operator's script sees the workers through it.
CREATE TABLE loaded_keys (
  fingerprints TEXT    PRIMARY KEY,
  active       TEXT    NOT NULL,
  first_at     INTEGER NOT NULL,
  last_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Fingerprints that stored data needs and no deployment has: said once.
CREATE TABLE orphaned_keys (
  fingerprint TEXT    PRIMARY KEY,
  found_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE rotations (
  id           INTEGER PRIMARY KEY,
  fingerprint  TEXT    NOT NULL,
  reencrypt    INTEGER NOT NULL DEFAULT 0,
  requested_at INTEGER NOT NULL,
  rewrapped_at INTEGER,
  finished_at  INTEGER
) STRICT;

CREATE INDEX rotations_open ON rotations (id) WHERE finished_at IS NULL;

-- Mail on its way. It holds no address: that is looked up when it is sent.
CREATE TABLE mail_queue (
  id            INTEGER PRIMARY KEY,
  -- Makes a repeat of the same mail the same row.
  occasion      TEXT    NOT NULL UNIQUE,
  kind          TEXT    NOT NULL,
  -- Null: the administrator.
  user_id       TEXT    REFERENCES users (id),
  connection_id TEXT,
  created_at    INTEGER NOT NULL,
  next_at       INTEGER,
  tries         INTEGER NOT NULL DEFAULT 0,
  ended_at      INTEGER,
  outcome       TEXT    CHECK (outcome IN ('sent', 'no_address', 'refused'))
) STRICT;

CREATE INDEX mail_queue_due ON mail_queue (next_at, id) WHERE next_at IS NOT NULL;
CREATE INDEX mail_queue_ended ON mail_queue (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX mail_queue_by_user ON mail_queue (user_id);
