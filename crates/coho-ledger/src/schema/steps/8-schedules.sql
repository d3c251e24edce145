CREATE TABLE schedules (
  -- How far the schedule of each sync was carried out.
  workspace TEXT NOT NULL,            -- the workspace, as the project's destination names it
  sync TEXT NOT NULL,                 -- the sync's id
  schedule TEXT NOT NULL,             -- what its schedule said; another one begins anew
  taken_at INTEGER NOT NULL,          -- the last of its times that was taken, or when it was seen first
  followed INTEGER NOT NULL DEFAULT 0, -- of a sync that follows others: the newest run of theirs that was looked at
  PRIMARY KEY (workspace, sync)
) STRICT, WITHOUT ROWID;

CREATE TABLE requests (
  -- Runs of syncs that were asked for. One is open until its run ends otherwise than by being interrupted.
  id INTEGER PRIMARY KEY AUTOINCREMENT, -- the number by which the trigger API names it
  workspace TEXT NOT NULL,            -- the workspace
  sync TEXT NOT NULL,                 -- the sync
  cause TEXT NOT NULL CHECK (cause IN ('schedule', 'sequence', 'api', 'page')), -- who asked first
  tick_at INTEGER,                    -- the newest time of the schedule that it carries out
  missed INTEGER NOT NULL DEFAULT 0,  -- how many times before that one it makes up for
  asked_at INTEGER NOT NULL,          -- when it was asked for
  run INTEGER REFERENCES runs (id),   -- the run that carries it out; null while it waits
  given_up_at INTEGER,                -- when it was given up before a run began
  error TEXT                          -- why
) STRICT;
CREATE UNIQUE INDEX requests_waiting ON requests (workspace, sync) WHERE run IS NULL AND given_up_at IS NULL;
CREATE INDEX requests_by_sync ON requests (sync, id);
CREATE INDEX requests_by_run ON requests (run);

CREATE TABLE tokens (
  -- Who may use the trigger API.
  name TEXT PRIMARY KEY,              -- the name by which it is revoked
  hash BLOB NOT NULL UNIQUE,          -- the digest of the token; the token itself is kept nowhere
  scopes TEXT NOT NULL,               -- what it may do: read, or read and trigger
  created_at INTEGER NOT NULL,        -- when it was made
  revoked_at INTEGER                  -- since when it is no longer taken
) STRICT;
