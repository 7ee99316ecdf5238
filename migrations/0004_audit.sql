-- The audit log: append-only, hash-chained per workspace.

-- How long events of this workspace are kept, by its plan. Null: as the deployment says.
ALTER TABLE workspaces ADD COLUMN audit_days INTEGER;
-- Set while a workspace is being erased: only then may its events go before their time.
ALTER TABLE workspaces ADD COLUMN erasing_at INTEGER;

CREATE TABLE audit_events (
  workspace_id  TEXT    NOT NULL REFERENCES workspaces (id),
  seq           INTEGER NOT NULL,
  at            INTEGER NOT NULL,
  type          TEXT    NOT NULL,
  actor         TEXT    NOT NULL,
  connection_id TEXT,
  service       TEXT,
  detail        TEXT    NOT NULL,
  keep_until    INTEGER NOT NULL,
  hash          TEXT    NOT NULL,
  PRIMARY KEY (workspace_id, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_events_by_type ON audit_events (workspace_id, type, at);
CREATE INDEX audit_events_by_connection ON audit_events (workspace_id, connection_id, at) WHERE connection_id IS NOT NULL;
CREATE INDEX audit_events_by_end ON audit_events (keep_until);

-- What lies before the oldest event that is kept: verification starts from its hash.
CREATE TABLE audit_checkpoints (
  workspace_id TEXT    PRIMARY KEY REFERENCES workspaces (id),
  seq          INTEGER NOT NULL,
  hash         TEXT    NOT NULL,
  at           INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Events of background work, written in its own batch and chained a little later: a renewal waits for no chain.
CREATE TABLE audit_queue (
  id            INTEGER PRIMARY KEY,
  workspace_id  TEXT    NOT NULL REFERENCES workspaces (id),
  at            INTEGER NOT NULL,
  type          TEXT    NOT NULL,
  actor         TEXT    NOT NULL,
  connection_id TEXT,
  service       TEXT,
  detail        TEXT    NOT NULL
) STRICT;

CREATE INDEX audit_queue_by_workspace ON audit_queue (workspace_id, id);

CREATE TRIGGER audit_events_are_not_changed BEFORE UPDATE ON audit_events
BEGIN
  SELECT RAISE(ABORT, 'audit events are append-only');
END;

CREATE TRIGGER audit_events_stay BEFORE DELETE ON audit_events
WHEN OLD.keep_until > CAST(unixepoch('subsec') * 1000 AS INTEGER)
  AND NOT EXISTS (SELECT 1 FROM workspaces WHERE id = OLD.workspace_id AND erasing_at IS NOT NULL)
BEGIN
  SELECT RAISE(ABORT, 'audit events are kept for their time');
END;

CREATE TRIGGER audit_checkpoints_only_advance BEFORE UPDATE ON audit_checkpoints
WHEN NEW.seq < OLD.seq
BEGIN
  SELECT RAISE(ABORT, 'a checkpoint only advances');
END;
