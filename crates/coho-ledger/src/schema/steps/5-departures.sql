-- memory: a record that a row left has a column of its own, not a key that looks like a row's
DROP VIEW claims;
DROP VIEW sync_snapshot;

CREATE TABLE memory_with_departures (
  -- What is remembered of each key.
  scope INTEGER NOT NULL REFERENCES scopes (id), -- the namespace
  key TEXT NOT NULL COLLATE BINARY,   -- the row's primary key
  departure INTEGER NOT NULL DEFAULT 0, -- 0 for the row's own record; else the how-manieth record that the row left
  target TEXT NOT NULL,               -- the external id of the record that the row becomes, or became
  standing TEXT NOT NULL CHECK (standing IN ('never', 'assumed', 'delivered', 'released', 'removed')), -- what Vitally is known to hold
  sent TEXT,                          -- what was acknowledged, as a JSON object from path to value
  n INTEGER,                          -- how many deliveries were acknowledged
  vitally_id TEXT,                    -- the record's id in Vitally
  origin TEXT CHECK (origin IN ('created', 'found')), -- whether this sync created the record
  removed_at INTEGER,                 -- when its removal was acknowledged
  pending TEXT NOT NULL CHECK (pending IN ('none', 'open', 'waiting')), -- what is under way
  verb TEXT CHECK (verb IN ('write', 'remove')), -- what the pending operation does
  operation BLOB,                     -- open: the digest of the operation
  would_send TEXT,                    -- open: what is remembered if it turns out to have arrived, as JSON
  since INTEGER,                      -- open: when the intent was made durable
  why TEXT CHECK (why IN ('rejected', 'deferred', 'skipped')), -- waiting: why
  code TEXT,                          -- waiting: the code of the last try
  tried_row BLOB,                     -- waiting: the digest of the row of the last try
  tried_mapping BLOB,                 -- waiting: the digest of the mapping of the last try
  tries INTEGER,                      -- waiting: how often it was tried
  due TEXT CHECK (due IN ('at', 'always', 'on-change')), -- waiting: when it is tried again
  due_at INTEGER,                     -- waiting: the moment, where there is one
  seen_row BLOB,                      -- the digest of the row as it was evaluated last
  seen_mapping BLOB,                  -- the digest of the mapping as it was evaluated last
  encoding INTEGER NOT NULL,          -- the version of the encoding that is digested
  serial INTEGER NOT NULL,            -- grows with each change
  updated_at INTEGER NOT NULL,        -- when it changed last
  PRIMARY KEY (scope, key, departure)
) STRICT, WITHOUT ROWID;

-- So far a record that a row left was remembered under the text `KEY (was TARGET)` or `KEY (was TARGET, N)`. It is taken for
-- one only where it says its own target, and its row is remembered too and is none itself; all others stay rows.
WITH named AS (
  SELECT scope, key, CASE
    WHEN substr(key, -length(target) - 7) = ' (was ' || target || ')' THEN substr(key, 1, length(key) - length(target) - 7)
    WHEN substr(key, -length(target) - 10, length(target) + 8) = ' (was ' || target || ', ' AND substr(key, -2) GLOB '[0-9])'
      THEN substr(key, 1, length(key) - length(target) - 10)
    WHEN substr(key, -length(target) - 11, length(target) + 8) = ' (was ' || target || ', ' AND substr(key, -3) GLOB '[0-9][0-9])'
      THEN substr(key, 1, length(key) - length(target) - 11)
    WHEN substr(key, -length(target) - 12, length(target) + 8) = ' (was ' || target || ', ' AND substr(key, -4) GLOB '[0-9][0-9][0-9])'
      THEN substr(key, 1, length(key) - length(target) - 12)
  END AS row_key FROM memory),
left_by_rows AS MATERIALIZED (
  SELECT named.scope AS scope, named.key AS key, row_key FROM named
  JOIN memory ON memory.scope = named.scope AND memory.key = named.row_key),
departed AS MATERIALIZED (
  SELECT scope, key, row_key, row_number() OVER (PARTITION BY scope, row_key ORDER BY key) AS departure FROM left_by_rows
  WHERE NOT EXISTS (SELECT 1 FROM left_by_rows AS other WHERE other.scope = left_by_rows.scope AND other.key = left_by_rows.row_key))
INSERT INTO memory_with_departures
SELECT memory.scope, coalesce(departed.row_key, memory.key), coalesce(departed.departure, 0), target, standing, sent, n,
  vitally_id, memory.origin, removed_at, pending, verb, operation, would_send, since, why, code, tried_row, tried_mapping,
  tries, due, due_at, seen_row, seen_mapping, encoding, serial, updated_at
FROM memory LEFT JOIN departed ON departed.scope = memory.scope AND departed.key = memory.key;

DROP TABLE memory;
ALTER TABLE memory_with_departures RENAME TO memory;
CREATE INDEX memory_by_target ON memory (scope, target);
CREATE INDEX memory_by_vitally_id ON memory (scope, vitally_id) WHERE vitally_id IS NOT NULL;

CREATE VIEW claims AS
  -- Which sync holds which record. None deletes what another one holds.
  SELECT
    workspaces.name AS workspace,     -- the workspace
    scopes.object AS object,          -- the record's object
    memory.target AS target,          -- the record's external id
    scopes.sync AS sync_id,           -- the sync that holds it
    memory.key AS row_id,             -- the row from which it holds it
    memory.departure AS departure     -- 0 where that is the row's own record; else the how-manieth that it left
  FROM memory
  JOIN scopes ON scopes.id = memory.scope
  JOIN workspaces ON workspaces.id = scopes.workspace
  WHERE memory.standing IN ('delivered', 'assumed') OR (memory.pending = 'open' AND memory.verb = 'write');

CREATE VIEW sync_snapshot AS
  -- The latest state of each row that was ever tried, with the columns of Hightouch's warehouse sync logs.
  SELECT
    scopes.sync AS sync_id,           -- the sync's id
    CAST(CASE memory.departure
      WHEN 0 THEN memory.key
      ELSE memory.key || ' (was ' || memory.target || ')'
    END AS TEXT) AS row_id,           -- the row's primary key, and of a record that it left, which that is
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
