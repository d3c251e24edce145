CREATE TABLE steps (
  -- The steps of the schema that this ledger went through.
  version INTEGER PRIMARY KEY,        -- the version that the step made
  taken_at INTEGER NOT NULL           -- when
) STRICT;

CREATE TABLE workspaces (
  -- Vitally's tenants, each with the record by which it is told from others.
  id INTEGER PRIMARY KEY,             -- the number by which other tables refer to it
  name TEXT NOT NULL UNIQUE,          -- the workspace, as the project's destination names it
  destination TEXT,                   -- the address that its token was used at last
  anchor_object TEXT,                 -- the object of one delivered record that is read back when a token changes
  anchor_external_id TEXT,            -- that record's external id
  anchor_vitally_id TEXT,             -- that record's Vitally id
  anchored_at INTEGER                 -- when the anchor was laid
) STRICT;

CREATE TABLE scopes (
  -- The namespaces of memory: one sync in one workspace.
  id INTEGER PRIMARY KEY,             -- the number by which other tables refer to it
  workspace INTEGER NOT NULL REFERENCES workspaces (id), -- its workspace
  sync TEXT NOT NULL,                 -- the sync's id
  object TEXT NOT NULL,               -- what its rows become
  UNIQUE (workspace, sync)
) STRICT;

CREATE TABLE memory (
  -- What is remembered of each key.
  scope INTEGER NOT NULL REFERENCES scopes (id), -- the namespace
  key TEXT NOT NULL COLLATE BINARY,   -- the row's primary key
  target TEXT NOT NULL,               -- the external id of the record that the row becomes
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
  PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX memory_by_target ON memory (scope, target);

CREATE TABLE lease (
  -- Who may write. One row.
  one INTEGER PRIMARY KEY CHECK (one = 1), -- always 1
  epoch INTEGER NOT NULL,             -- grows with each holder: a writer of an older epoch is refused
  holder TEXT NOT NULL,               -- the holder's random id
  pid INTEGER NOT NULL,               -- its process
  host TEXT NOT NULL,                 -- its machine
  since INTEGER NOT NULL,             -- when it was taken
  expires INTEGER NOT NULL,           -- when others may take it though it was not released
  released INTEGER                    -- when it was given back
) STRICT;

CREATE TABLE runs (
  -- Every run.
  id INTEGER PRIMARY KEY,             -- the number by which other tables refer to it
  run TEXT NOT NULL UNIQUE,           -- the run's id
  purpose TEXT NOT NULL,              -- what it is for: sync, baseline, resend, resend-events
  status TEXT NOT NULL,               -- running, success, warning, failed, halted, interrupted
  error TEXT,                         -- why it did not end well
  started_at INTEGER NOT NULL,        -- when it began
  ended_at INTEGER                    -- when it ended
) STRICT;

CREATE INDEX runs_by_start ON runs (started_at);

CREATE TABLE run_syncs (
  -- Every sync of every run.
  run INTEGER NOT NULL REFERENCES runs (id), -- the run
  scope INTEGER NOT NULL REFERENCES scopes (id), -- the sync
  model TEXT NOT NULL,                -- its model's name
  destination TEXT NOT NULL,          -- its destination's name
  primary_key TEXT NOT NULL,          -- the columns of its model's primary key
  status TEXT NOT NULL,               -- as in runs
  error TEXT,                         -- why it did not end well
  started_at INTEGER NOT NULL,        -- when it began
  ended_at INTEGER,                   -- when it ended
  counts TEXT,                        -- its counts, as JSON
  planned_add INTEGER NOT NULL DEFAULT 0,      -- adds that were planned
  planned_change INTEGER NOT NULL DEFAULT 0,   -- changes that were planned
  planned_remove INTEGER NOT NULL DEFAULT 0,   -- removals that were planned
  attempted_add INTEGER NOT NULL DEFAULT 0,    -- adds that were tried
  attempted_change INTEGER NOT NULL DEFAULT 0, -- changes that were tried
  attempted_remove INTEGER NOT NULL DEFAULT 0, -- removals that were tried
  succeeded_add INTEGER NOT NULL DEFAULT 0,    -- adds that were acknowledged
  succeeded_change INTEGER NOT NULL DEFAULT 0, -- changes that were acknowledged
  succeeded_remove INTEGER NOT NULL DEFAULT 0, -- removals that were acknowledged
  PRIMARY KEY (run, scope)
) STRICT, WITHOUT ROWID;

CREATE TABLE fates (
  -- Where rows and keys ended in each run, except those that were unchanged.
  id INTEGER PRIMARY KEY,             -- in the order in which they were recorded
  run INTEGER NOT NULL REFERENCES runs (id), -- the run
  scope INTEGER NOT NULL REFERENCES scopes (id), -- the sync
  key TEXT,                           -- the row's primary key; null where the row has none
  op_type TEXT CHECK (op_type IN ('added', 'changed', 'removed')), -- what was to be done to the record
  fate TEXT NOT NULL,                 -- where it ended
  reason TEXT NOT NULL,               -- why it was to be done
  code TEXT,                          -- the code of what went wrong
  message TEXT,                       -- what went wrong
  fields TEXT NOT NULL,               -- the fields that differ, as a JSON object from path to before and after
  at INTEGER NOT NULL                 -- when
) STRICT;

CREATE INDEX fates_by_key ON fates (scope, key);
CREATE INDEX fates_by_run ON fates (run, scope, fate);

CREATE TABLE calls (
  -- Every call to Vitally. It never contains a credential.
  id INTEGER PRIMARY KEY,             -- in the order in which they were recorded
  run INTEGER NOT NULL REFERENCES runs (id), -- the run
  scope INTEGER NOT NULL REFERENCES scopes (id), -- the sync
  key TEXT,                           -- the row that it was made for
  at INTEGER NOT NULL,                -- when it was sent
  micros INTEGER NOT NULL,            -- how long it took, in microseconds
  method TEXT NOT NULL,               -- GET, POST, PUT or DELETE
  path TEXT NOT NULL,                 -- path and query
  request TEXT,                       -- the request's JSON body
  status INTEGER,                     -- the answer's status; null where none arrived
  response TEXT NOT NULL              -- the answer's body, or what went wrong
) STRICT;

CREATE INDEX calls_by_key ON calls (run, scope, key);

CREATE TABLE refs (
  -- Vitally ids of records that others refer to.
  workspace INTEGER NOT NULL REFERENCES workspaces (id), -- the workspace
  object TEXT NOT NULL,               -- the record's object
  external_id TEXT NOT NULL,          -- the record's external id
  vitally_id TEXT NOT NULL,           -- the record's Vitally id
  seen_at INTEGER NOT NULL,           -- when Vitally answered it
  PRIMARY KEY (workspace, object, external_id)
) STRICT, WITHOUT ROWID;
