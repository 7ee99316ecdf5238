-- Billing: what Stripe last said of each paying workspace, which events were seen, and the plan that follows.

CREATE TABLE subscriptions (
  workspace_id    TEXT    PRIMARY KEY REFERENCES workspaces (id),
  user_id         TEXT    NOT NULL UNIQUE REFERENCES users (id),
  customer_id     TEXT    NOT NULL UNIQUE,
  -- What Stripe said when it was last asked, null and none where the customer has no subscription.
  subscription_id TEXT,
  status          TEXT    NOT NULL DEFAULT 'none',
  quantity        INTEGER NOT NULL DEFAULT 0,
  period_end      INTEGER,
  cancel_at       INTEGER,
  past_due_since  INTEGER,
  paid_until      INTEGER,
  -- JSON: of several subscriptions that count each one, null where there is one or none.
  parts           TEXT,
  -- Each question to Stripe takes the next ticket first. An answer is written unless one of a later ticket was.
  ticket          INTEGER NOT NULL DEFAULT 0,
  applied         INTEGER NOT NULL DEFAULT 0,
  -- Counts answers that differed from the one before: part of the idempotency keys of what a person does next.
  version         INTEGER NOT NULL DEFAULT 0,
  fetched_at      INTEGER,
  created_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE billing_events (
  id           TEXT    PRIMARY KEY,
  type         TEXT    NOT NULL,
  workspace_id TEXT    NOT NULL REFERENCES workspaces (id),
  object_id    TEXT,
  status       TEXT    NOT NULL,
  quantity     INTEGER NOT NULL,
  created_at   INTEGER NOT NULL,
  received_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX billing_events_by_time ON billing_events (received_at);
CREATE INDEX billing_events_by_workspace ON billing_events (workspace_id);

-- The plan as it was last written down, null: never. plan_limit is how many connections it allows, null: any number.
ALTER TABLE workspaces ADD COLUMN plan TEXT;
ALTER TABLE workspaces ADD COLUMN plan_limit INTEGER;
-- When time alone may change the plan, or Stripe should be asked again. 0: nobody has looked yet. Null: never.
ALTER TABLE workspaces ADD COLUMN settle_at INTEGER DEFAULT 0;

CREATE INDEX workspaces_to_settle ON workspaces (settle_at, id) WHERE settle_at IS NOT NULL;
CREATE INDEX connections_suspended ON connections (workspace_id, id) WHERE status = 'suspended';

-- A connection more may be one too many. Whoever made it sees to that. Where they do not get to it, the job does.
CREATE TRIGGER connections_are_counted AFTER INSERT ON connections
BEGIN
  UPDATE workspaces
  SET settle_at = MIN(COALESCE(settle_at, 9007199254740991), CAST(unixepoch('subsec') * 1000 AS INTEGER))
  WHERE id = NEW.workspace_id AND plan_limit IS NOT NULL;
END;

CREATE TRIGGER connections_are_counted_again AFTER UPDATE OF status ON connections
WHEN OLD.status = 'disconnected' AND NEW.status != 'disconnected'
BEGIN
  UPDATE workspaces
  SET settle_at = MIN(COALESCE(settle_at, 9007199254740991), CAST(unixepoch('subsec') * 1000 AS INTEGER))
  WHERE id = NEW.workspace_id AND plan_limit IS NOT NULL;
END;
