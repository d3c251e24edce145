-- scopes.first_run_at: when the sync's first run was planned to its end; null where it never was
ALTER TABLE scopes ADD COLUMN first_run_at INTEGER;

UPDATE scopes SET first_run_at = (SELECT min(updated_at) FROM memory WHERE memory.scope = scopes.id);

-- workspaces.token_digest: the digest of the token that the anchor was read with
ALTER TABLE workspaces ADD COLUMN token_digest BLOB;
-- workspaces.write_price: what a write costs of the rate, as it was learned
ALTER TABLE workspaces ADD COLUMN write_price REAL;
-- workspaces.read_price: what a read costs of the rate, as it was learned
ALTER TABLE workspaces ADD COLUMN read_price REAL;

-- runs.purpose: what it is for: sync, baseline, adopt, resend, resend-events
CREATE INDEX memory_by_vitally_id ON memory (scope, vitally_id) WHERE vitally_id IS NOT NULL;

CREATE TABLE call_keys (
  -- The rows of calls that were made for several at once.
  call INTEGER NOT NULL REFERENCES calls (id) ON DELETE CASCADE, -- the call
  key TEXT NOT NULL,                  -- one of the rows that it was made for
  PRIMARY KEY (call, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX call_keys_by_key ON call_keys (key);

CREATE TABLE traits (
  -- The custom fields of each workspace, as they were fetched last.
  workspace INTEGER NOT NULL REFERENCES workspaces (id), -- the workspace
  object TEXT NOT NULL,               -- the object that they are fields of
  fetched_at INTEGER NOT NULL,        -- when Vitally answered them
  body TEXT NOT NULL,                 -- the answer, as JSON
  PRIMARY KEY (workspace, object)
) STRICT, WITHOUT ROWID;

DROP VIEW sync_changelog;

CREATE VIEW sync_changelog AS
  -- A row for each operation of each run, with the columns of Hightouch's warehouse sync logs.
  SELECT
    scopes.sync AS sync_id,           -- the sync's id
    runs.run AS sync_run_id,          -- the run's id
    fates.key AS row_id,              -- the row's primary key
    fates.op_type AS op_type,         -- added, changed, removed
    CAST(CASE
      WHEN fates.fate IN ('delivered', 'accepted', 'removed') THEN 'succeeded'
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
