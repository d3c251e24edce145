-- The very first ledgers have no such table.
CREATE TABLE IF NOT EXISTS steps (
  -- The steps of the schema that this ledger went through.
  version INTEGER PRIMARY KEY,        -- the version that the step made
  taken_at INTEGER NOT NULL           -- when
) STRICT;

CREATE TABLE project (
  -- The project that this ledger belongs to. One row, and none before the first run.
  one INTEGER PRIMARY KEY CHECK (one = 1), -- always 1
  name TEXT NOT NULL,                 -- the project's name in coho.yaml
  id TEXT NOT NULL,                   -- its id, drawn once; it stands in the project's file .coho-ledger too
  host TEXT NOT NULL,                 -- the machine that the project was on when it wrote last
  folder TEXT NOT NULL,               -- its folder there
  since INTEGER NOT NULL              -- since when the ledger belongs to it
) STRICT;

-- lease.run: the run that the holder began; null where it began none
ALTER TABLE lease ADD COLUMN run TEXT;
-- lease.writes: how many transactions were written under leases; LEDGER.lock says it too, so that a lost log is noticed
ALTER TABLE lease ADD COLUMN writes INTEGER NOT NULL DEFAULT 0;

-- fates.standing: 1 while it is the last one of its row, and the row still waits for somebody; such a fate is not repeated by later runs
ALTER TABLE fates ADD COLUMN standing INTEGER NOT NULL DEFAULT 0;

UPDATE fates SET standing = 1
WHERE fate IN ('invalid', 'rejected', 'skipped', 'deferred', 'held', 'stale')
  AND run = (SELECT max(run) FROM run_syncs WHERE run_syncs.scope = fates.scope)
  AND (key IS NULL OR id = (SELECT max(id) FROM fates AS other WHERE other.scope = fates.scope AND other.key = fates.key));

CREATE INDEX fates_standing ON fates (scope, key) WHERE standing = 1;

CREATE TABLE column_types (
  -- What the columns of files were taken for, so that one odd value in a later file does not change it.
  model TEXT NOT NULL,                -- the model's name
  column_name TEXT NOT NULL,          -- the column's name
  type TEXT NOT NULL,                 -- the type
  since INTEGER NOT NULL,             -- since when it is taken for that
  PRIMARY KEY (model, column_name)
) STRICT, WITHOUT ROWID;

-- This view has columns without a type in the very first ledgers.
DROP VIEW sync_runs;

CREATE VIEW sync_runs AS
  -- A row for each sync of each run, with the columns of Hightouch's warehouse sync logs.
  SELECT
    scopes.sync AS sync_id,           -- the sync's id
    runs.run AS sync_run_id,          -- the run's id; the syncs of one run share it
    run_syncs.primary_key AS primary_key, -- the columns of the model's primary key
    run_syncs.destination AS destination, -- the destination's name
    run_syncs.model AS model_name,    -- the model's name
    run_syncs.error AS error,         -- why it did not end well
    run_syncs.status AS status,       -- running, success, warning, failed, halted, interrupted
    CAST(strftime('%Y-%m-%dT%H:%M:%fZ', run_syncs.started_at / 1000000.0, 'unixepoch') AS TEXT) AS started_at, -- when it began
    CAST(strftime('%Y-%m-%dT%H:%M:%fZ', run_syncs.ended_at / 1000000.0, 'unixepoch') AS TEXT) AS finished_at, -- when it ended
    planned_add AS num_planned_add,   -- adds that were planned
    planned_change AS num_planned_change, -- changes that were planned
    planned_remove AS num_planned_remove, -- removals that were planned
    attempted_add AS num_attempted_add, -- adds that were tried
    attempted_change AS num_attempted_change, -- changes that were tried
    attempted_remove AS num_attempted_remove, -- removals that were tried
    succeeded_add AS num_succeeded_add, -- adds that were acknowledged
    succeeded_change AS num_succeeded_change, -- changes that were acknowledged
    succeeded_remove AS num_succeeded_remove, -- removals that were acknowledged
    CAST(attempted_add - succeeded_add AS INTEGER) AS num_failed_add, -- adds that were tried and not acknowledged
    CAST(attempted_change - succeeded_change AS INTEGER) AS num_failed_change, -- changes that were tried and not acknowledged
    CAST(attempted_remove - succeeded_remove AS INTEGER) AS num_failed_remove, -- removals that were tried and not acknowledged
    workspaces.name AS workspace      -- the workspace, which Hightouch's logs do not have
  FROM run_syncs
  JOIN runs ON runs.id = run_syncs.run
  JOIN scopes ON scopes.id = run_syncs.scope
  JOIN workspaces ON workspaces.id = scopes.workspace;
