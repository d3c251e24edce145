CREATE VIEW claims AS
  -- Which sync holds which record. None deletes what another one holds.
  SELECT
    workspaces.name AS workspace,     -- the workspace
    scopes.object AS object,          -- the record's object
    memory.target AS target,          -- the record's external id
    scopes.sync AS sync_id,           -- the sync that holds it
    memory.key AS row_id              -- the row from which it holds it
  FROM memory
  JOIN scopes ON scopes.id = memory.scope
  JOIN workspaces ON workspaces.id = scopes.workspace
  WHERE memory.standing IN ('delivered', 'assumed') OR (memory.pending = 'open' AND memory.verb = 'write');

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

CREATE VIEW sync_changelog AS
  -- A row for each operation of each run, with the columns of Hightouch's warehouse sync logs.
  SELECT
    scopes.sync AS sync_id,           -- the sync's id
    runs.run AS sync_run_id,          -- the run's id
    fates.key AS row_id,              -- the row's primary key
    fates.op_type AS op_type,         -- added, changed, removed
    CAST(CASE
      WHEN fates.fate IN ('delivered', 'removed') THEN 'succeeded'
      WHEN fates.fate IN ('rejected', 'skipped', 'deferred', 'invalid') THEN 'failed'
      ELSE fates.fate
    END AS TEXT) AS status, -- succeeded, failed, or the fate of what was not sent: not-attempted, held, stale
    CAST(CASE
      WHEN fates.code IS NOT NULL AND fates.message IS NOT NULL THEN fates.code || ': ' || fates.message
      ELSE coalesce(fates.code, fates.message)
    END AS TEXT) AS failure_reason, -- code and message of what went wrong
    fates.fields AS fields,           -- the fields that differ, as a JSON object from path to before and after
    workspaces.name AS workspace      -- the workspace, which Hightouch's logs do not have
  FROM fates
  JOIN runs ON runs.id = fates.run
  JOIN scopes ON scopes.id = fates.scope
  JOIN workspaces ON workspaces.id = scopes.workspace
  WHERE fates.op_type IS NOT NULL;

CREATE VIEW sync_snapshot AS
  -- The latest state of each row that was ever tried, with the columns of Hightouch's warehouse sync logs.
  SELECT
    scopes.sync AS sync_id,           -- the sync's id
    memory.key AS row_id,             -- the row's primary key
    CAST(CASE
      WHEN memory.verb = 'remove' OR memory.standing = 'removed' THEN 'removed'
      WHEN memory.standing = 'never' OR memory.n <= 1 THEN 'added'
      WHEN memory.standing <> 'assumed' OR memory.pending <> 'none' THEN 'changed'
    END AS TEXT) AS op_type, -- what was last done or tried: added, changed, removed; null where nothing was
    CAST(CASE
      WHEN memory.pending = 'open' THEN 'unknown'
      WHEN memory.pending = 'waiting' THEN 'failed'
      WHEN memory.standing IN ('delivered', 'removed') THEN 'succeeded'
      ELSE memory.standing
    END AS TEXT) AS status, -- succeeded, failed; unknown while the outcome is; assumed, released
    memory.code AS failure_reason,    -- the code of the last try
    CAST(coalesce(memory.would_send, memory.sent) AS TEXT) AS fields, -- what was sent, as a JSON object from path to value
    workspaces.name AS workspace      -- the workspace, which Hightouch's logs do not have
  FROM memory
  JOIN scopes ON scopes.id = memory.scope
  JOIN workspaces ON workspaces.id = scopes.workspace
  WHERE memory.standing <> 'never' OR memory.pending <> 'none';
