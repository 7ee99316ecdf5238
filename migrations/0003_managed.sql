-- Managed mode without its owner: what is due, which master keys are loaded, rotations, and mail.

-- When the background does something for a managed connection: renew its token, or see whether its key still works.
-- Null where there is nothing to do.
ALTER TABLE connections ADD COLUMN due_at INTEGER;
-- Since when the service refuses the stored secret although nothing says that it ended, and when it last took it.
ALTER TABLE connections ADD COLUMN refused_since INTEGER;
ALTER TABLE connections ADD COLUMN checked_at INTEGER;
-- When the deletion of a disconnected connection began: from then on nothing brings it back.
ALTER TABLE connections ADD COLUMN purging_at INTEGER;

-- What was connected before is due when its token ends, or, where it does not end, within a day: not all at once.
UPDATE connections
SET due_at = COALESCE(access_expires_at, CAST(unixepoch('subsec') * 1000 AS INTEGER) + abs(random() % 86400000))
WHERE storage = 'managed' AND status != 'disconnected' AND state != 'reauth';

CREATE INDEX connections_due ON connections (due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX connections_reauth ON connections (reauth_since, id) WHERE reauth_since IS NOT NULL;
CREATE INDEX connections_authorized ON connections (authorized_at, id) WHERE status = 'active';
CREATE INDEX connections_disconnected ON connections (disconnected_at, id) WHERE disconnected_at IS NOT NULL;
CREATE INDEX connections_by_revocation ON connections (revocation_at, id) WHERE revocation = 'pending';

-- Which master keys have wrapped a data key, in order, comma-joined: kept by the triggers below. There are few different
-- lists however many data keys there are, so that what is in use, what cannot be opened and what a rotation has left to
-- do is found by walking the lists.
ALTER TABLE data_keys ADD COLUMN wrapped_by TEXT NOT NULL DEFAULT '';
-- The rotation that made it, wrapped under the key of that rotation only, 0: none.
ALTER TABLE data_keys ADD COLUMN rotation_id INTEGER NOT NULL DEFAULT 0;

UPDATE data_keys SET wrapped_by = COALESCE((
  SELECT group_concat(fingerprint) FROM (
    SELECT fingerprint FROM data_key_wrappings WHERE data_key_id = data_keys.id ORDER BY fingerprint)), '');

CREATE INDEX data_keys_by_wrapping ON data_keys (wrapped_by, id);
CREATE INDEX data_keys_by_rotation ON data_keys (rotation_id, id);
-- One data key for each owner and rotation, however many workers make one at once.
CREATE UNIQUE INDEX data_keys_of_rotation ON data_keys (owner, rotation_id) WHERE rotation_id > 0;

DROP INDEX connections_by_data_key;
CREATE INDEX connections_by_data_key ON connections (data_key_id, id) WHERE data_key_id IS NOT NULL;

CREATE TRIGGER data_key_is_wrapped AFTER INSERT ON data_key_wrappings
BEGIN
  UPDATE data_keys SET wrapped_by = COALESCE((
    SELECT group_concat(fingerprint) FROM (
      SELECT fingerprint FROM data_key_wrappings WHERE data_key_id = NEW.data_key_id ORDER BY fingerprint)), '')
  WHERE id = NEW.data_key_id;
END;

CREATE TRIGGER data_key_is_unwrapped AFTER DELETE ON data_key_wrappings
BEGIN
  UPDATE data_keys SET wrapped_by = COALESCE((
    SELECT group_concat(fingerprint) FROM (
      SELECT fingerprint FROM data_key_wrappings WHERE data_key_id = OLD.data_key_id ORDER BY fingerprint)), '')
  WHERE id = OLD.data_key_id;
END;

-- Sets of master keys that deployments say they have loaded. The script of an operator sees the workers through it.
CREATE TABLE loaded_keys (
  fingerprints TEXT    PRIMARY KEY,
  active       TEXT    NOT NULL,
  first_at     INTEGER NOT NULL,
  last_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX loaded_keys_by_time ON loaded_keys (last_at);

-- Fingerprints that stored data needs and no deployment has: said once.
CREATE TABLE orphaned_keys (
  fingerprint          TEXT    PRIMARY KEY,
  data_keys            INTEGER NOT NULL,
  client_registrations INTEGER NOT NULL,
  found_at             INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE rotations (
  id           INTEGER PRIMARY KEY,
  fingerprint  TEXT    NOT NULL,
  reencrypt    INTEGER NOT NULL DEFAULT 0,
  requested_at INTEGER NOT NULL,
  rewrapped_at INTEGER,
  settled_at   INTEGER,
  finished_at  INTEGER,
  -- Where the next run of the job goes on, empty: at the beginning.
  position     TEXT    NOT NULL DEFAULT '',
  unreadable   INTEGER NOT NULL DEFAULT 0
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
  detail        TEXT    NOT NULL DEFAULT '{}',
  created_at    INTEGER NOT NULL,
  next_at       INTEGER,
  tries         INTEGER NOT NULL DEFAULT 0,
  ended_at      INTEGER,
  outcome       TEXT    CHECK (outcome IN ('sent', 'no_address', 'refused', 'obsolete'))
) STRICT;

CREATE INDEX mail_queue_due ON mail_queue (next_at, id) WHERE next_at IS NOT NULL;
CREATE INDEX mail_queue_ended ON mail_queue (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX mail_queue_by_user ON mail_queue (user_id);
CREATE INDEX mail_queue_by_connection ON mail_queue (connection_id) WHERE connection_id IS NOT NULL;
